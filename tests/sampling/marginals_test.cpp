// Independent marginals as a proposal: a density that sums to one, and draws that follow it.
#include "sampling/proposals/marginals.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "tests/md/error_message.h"
#include "tests/sampling/small_generators.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

constexpr std::int64_t kBins = 6, kCoordinates = 3;

// Uneven weights, in units of their own in each row, with a bin of weight 0.
std::vector<double> weights() {
  std::vector<double> out;
  for (int j = 0; j < kCoordinates; ++j)
    for (int v = 0; v < kBins; ++v) out.push_back(std::pow(10, j) * (1 + (3 * j + 5 * v) % 7));
  out[kBins + 2] = 0;
  return out;
}

std::unique_ptr<md::CoordinateMap> three_atom_map() {
  const auto m = chain(3, 0.012, 0.4);
  return md::make_internal_map(m.topology, m.system, kTemperature);
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("the density of marginals sums to one over the cells") {
  const auto map = three_atom_map();
  const auto bins = bins_of(*map, kBins);
  const MarginalsProposal proposal(*map, bins, weights());
  const auto cells = all_sequences(kBins, kCoordinates);
  std::vector<double> z;
  for (std::size_t at = 0; at < cells.size(); ++at)
    z.push_back(bins.decode(static_cast<std::int64_t>(at) % kCoordinates, cells[at], 0.3));
  double sum = 0;
  for (const double log_q : proposal.log_density(z)) sum += std::exp(log_q + bins.log_volume());
  CHECK(sum == doctest::Approx(1).epsilon(1e-12));
  CHECK_FALSE(proposal.covers_support());
}

TEST_CASE("marginals of another shape, below zero or empty are refused in a sentence") {
  const auto map = three_atom_map();
  const auto bins = bins_of(*map, kBins);
  const auto refused = [&](std::vector<double> given, const char* text) {
    return error_message([&] { MarginalsProposal(*map, bins, given); }).find(text) !=
           std::string::npos;
  };
  auto short_of_one = weights(), below = weights(), empty = weights();
  short_of_one.pop_back();
  below[4] = -1;
  std::fill_n(empty.begin(), kBins, 0.0);
  CHECK(refused(short_of_one, "expected weights of 3 coordinates in 6 bins each, got 17"));
  CHECK(refused(below, "the weights of coordinate 0 have to be 0 or more"));
  CHECK(refused(empty, "the weights of coordinate 0 sum to 0"));
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

TEST_CASE("draws follow the marginals, coordinate by coordinate and evenly within bins") {
  constexpr std::int64_t kCount = 30000;
  const auto map = three_atom_map();
  const auto bins = bins_of(*map, kBins);
  const auto w = weights();
  SampleOptions options;
  options.count = kCount;
  const auto drawn = MarginalsProposal(*map, bins, w).draw(options);
  for (std::int64_t j = 0; j < kCoordinates; ++j) {
    std::vector<double> counts(kBins, 0.0);
    double place = 0;
    for (std::int64_t i = 0; i < kCount; ++i) {
      const double x = drawn.coordinates[static_cast<std::size_t>(i * kCoordinates + j)];
      const auto bin = bins.encode(j, x);
      ++counts[static_cast<std::size_t>(bin)];
      place += ((x - bins.axis(j).low) / bins.width(j) - bin) / kCount;
    }
    const auto row = w.begin() + j * kBins;
    const double sum = std::accumulate(row, row + kBins, 0.0);
    double chi_square = 0;
    int drawable = 0;
    for (std::int64_t v = 0; v < kBins; ++v) {
      const auto k = static_cast<std::size_t>(v);
      const double expected = kCount * row[v] / sum;
      if (expected == 0) CHECK(counts[k] == 0);
      if (expected == 0) continue;
      ++drawable;
      chi_square += (counts[k] - expected) * (counts[k] - expected) / expected;
    }
    const double freedom = drawable - 1;
    CHECK(chi_square < freedom + 4 * std::sqrt(2 * freedom));
    CHECK(std::abs(place - 0.5) < 4 / std::sqrt(12.0 * kCount));
  }
}

TEST_SUITE_END();
