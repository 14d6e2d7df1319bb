#include "sampling/proposals/proposal.h"

#include <algorithm>

#include "tensor/base/error.h"

namespace arbg::sampling {

void Samples::resize(std::int64_t count, const md::CoordinateMap& map) {
  const auto rows = static_cast<std::size_t>(count), K = static_cast<std::size_t>(map.size());
  coordinates.resize(rows * K);
  positions_nm.resize(rows * static_cast<std::size_t>(map.atom_count()) * 3);
  log_q.resize(rows);
  log_volume.resize(rows);
}

void Samples::put(std::int64_t i, std::span<const double> z, double density,
                  const md::CoordinateMap& map) {
  const auto frame = static_cast<std::size_t>(map.atom_count()) * 3;
  const auto sample = static_cast<std::size_t>(i);
  std::ranges::copy(z, coordinates.begin() + i * std::ssize(z));
  log_q[sample] = density;
  log_volume[sample] = map.log_volume(z);
  map.decode(z, std::span(positions_nm).subspan(sample * frame, frame));
}

void Samples::put(std::int64_t i, const Growth& grown, std::int64_t row,
                  const md::CoordinateMap& map) {
  put(i, grown.coordinates(row), grown.log_q(row), map);
}

std::unique_ptr<Growth> Proposal::grow(std::int64_t, const Random&, std::int64_t) const {
  fail(
      "expected a proposal that draws coordinate by coordinate, as twisted sequential Monte Carlo "
      "needs; found one that draws whole conformations");
}

}  // namespace arbg::sampling
