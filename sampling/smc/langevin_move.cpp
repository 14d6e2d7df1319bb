#include "sampling/smc/langevin_move.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "sampling/proposals/shared_samples.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/threads.h"

namespace arbg::sampling {
namespace {

constexpr double kLargestDrift = 3;          // of h, in standard deviations of what it should be
constexpr double kMedianOfNormal = 0.67449;  // of |xi|

std::size_t width(const md::CoordinateMap& map) { return static_cast<std::size_t>(map.size()); }
std::size_t frame(const md::CoordinateMap& map) {
  return static_cast<std::size_t>(map.atom_count()) * 3;
}

// Fills in what follows from the coordinates: positions, volume, energy and slope.
void evaluate(Walkers& walkers, const md::CoordinateMap& map, const Potential& potential) {
  const std::size_t K = width(map), size = frame(map);
  Samples& s = walkers.samples;
  const auto rows = static_cast<std::int64_t>(walkers.samples.log_q.size());
  parallel_for(rows, [&](std::int64_t row) {
    const auto i = static_cast<std::size_t>(row);
    const auto z = std::span(s.coordinates).subspan(i * K, K);
    map.decode(z, std::span(s.positions_nm).subspan(i * size, size));
    s.log_volume[i] = map.log_volume(z);
  });
  std::vector<double> gradient(s.positions_nm.size());
  walkers.u = potential.reduced_energy(s.positions_nm, gradient);
  for (double& value : gradient) value = -value;
  walkers.slope.assign(s.coordinates.size(), 0.0);
  parallel_for(rows, [&](std::int64_t row) {
    const auto i = static_cast<std::size_t>(row);
    if (!std::isfinite(walkers.u[i])) return;
    map.pull_back(std::span(s.coordinates).subspan(i * K, K),
                  std::span(s.positions_nm).subspan(i * size, size),
                  std::span(gradient).subspan(i * size, size),
                  std::span(walkers.slope).subspan(i * K, K));
  });
}

// Row i of `to` becomes row k of `from`.
void copy_row(const Walkers& from, std::size_t k, Walkers& to, std::size_t i,
              const md::CoordinateMap& map) {
  const auto row = [&](const auto& source, auto& target, std::size_t size) {
    std::copy_n(source.begin() + static_cast<std::ptrdiff_t>(k * size), size,
                target.begin() + static_cast<std::ptrdiff_t>(i * size));
  };
  row(from.samples.coordinates, to.samples.coordinates, width(map));
  row(from.samples.positions_nm, to.samples.positions_nm, frame(map));
  row(from.samples.log_q, to.samples.log_q, 1);
  row(from.samples.log_volume, to.samples.log_volume, 1);
  row(from.u, to.u, 1);
  row(from.slope, to.slope, width(map));
}

// Within [low, high) for periodic coordinates, as it is for others.
double wrapped(const md::Coordinate& c, double z) {
  if (!c.periodic) return z;
  const double period = c.high - c.low;
  z -= period * std::floor((z - c.low) / period);
  return z < c.high ? z : c.low;
}

// h of row i.
double drift(const Walkers& walkers, std::size_t at, double length) {
  return std::clamp(length * walkers.slope[at], -kLargestDrift, kLargestDrift);
}

}  // namespace

void Walkers::select(std::span<const std::int64_t> from, const md::CoordinateMap& map) {
  const Walkers before = *this;
  for (std::size_t i = 0; i < from.size(); ++i) {
    copy_row(before, static_cast<std::size_t>(from[i]), *this, i, map);
  }
}

Walkers Walkers::rows(std::int64_t first, std::int64_t count, const md::CoordinateMap& map) const {
  Walkers out;
  out.samples.resize(count, map);
  out.u.resize(static_cast<std::size_t>(count));
  out.slope.resize(out.samples.coordinates.size());
  for (std::int64_t i = 0; i < count; ++i)
    copy_row(*this, static_cast<std::size_t>(first + i), out, static_cast<std::size_t>(i), map);
  return out;
}

void Walkers::replace(std::int64_t first, const Walkers& by, const md::CoordinateMap& map) {
  for (std::int64_t i = 0; i < by.count(); ++i)
    copy_row(by, static_cast<std::size_t>(i), *this, static_cast<std::size_t>(first + i), map);
}

Walkers gather(const Walkers& own, const Ranks& ranks) {
  return {gather(own.samples, ranks), ranks.gather(std::span(own.u)),
          ranks.gather(std::span(own.slope))};
}

Walkers make_walkers(Samples samples, const md::CoordinateMap& map, const Potential& potential) {
  Walkers walkers;
  walkers.samples = std::move(samples);
  evaluate(walkers, map, potential);
  return walkers;
}

std::vector<double> move_lengths(const Walkers& walkers, const md::CoordinateMap& map) {
  const std::size_t K = width(map), count = walkers.u.size();
  std::vector<double> lengths(K), slopes(count);
  for (std::size_t j = 0; j < K; ++j) {
    for (std::size_t i = 0; i < count; ++i) slopes[i] = std::abs(walkers.slope[i * K + j]);
    const auto middle = slopes.begin() + static_cast<std::ptrdiff_t>(count / 2);
    std::nth_element(slopes.begin(), middle, slopes.end());
    const md::Coordinate& c = map.coordinates()[j];
    const double most = (c.high - c.low) / 10;
    lengths[j] = *middle * most > kMedianOfNormal ? kMedianOfNormal / *middle : most;
  }
  return lengths;
}

namespace {

// log q of rows of z, -infinity outside of the support.
using LogDensity = std::function<std::vector<double>(std::span<const double>)>;

double move_and_judge(Walkers& walkers, const md::CoordinateMap& map, const Potential& potential,
                      const LogDensity& log_density, double b, double eps,
                      std::span<const double> lengths, const Random& random) {
  const std::size_t K = width(map), count = walkers.u.size();
  // Numbers of row i: pairs i K ... i K + K - 1 for xi, and one uniform for its acceptance.
  std::vector<double> xi(count * K);
  Walkers proposed = walkers;
  Samples& s = proposed.samples;
  for (std::size_t at = 0; at < xi.size(); ++at) {
    const std::size_t j = at % K;
    xi[at] = random.normal_pair(at)[0];
    const double step = xi[at] + 0.5 * eps * drift(walkers, at, lengths[j]);
    s.coordinates[at] = wrapped(map.coordinates()[j], s.coordinates[at] + eps * lengths[j] * step);
  }
  s.log_q = log_density(s.coordinates);
  if (interrupted()) return 0;
  // Outside of the support geometry may break down: such a row keeps its place until it is
  // rejected.
  for (std::size_t i = 0; i < count; ++i) {
    if (std::isfinite(s.log_q[i])) continue;
    std::copy_n(walkers.samples.coordinates.begin() + static_cast<std::ptrdiff_t>(i * K), K,
                s.coordinates.begin() + static_cast<std::ptrdiff_t>(i * K));
  }
  evaluate(proposed, map, potential);

  std::int64_t accepted = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!std::isfinite(s.log_q[i]) || !std::isfinite(proposed.u[i])) continue;
    double log_ratio = (1 - b) * (s.log_q[i] - walkers.samples.log_q[i]) +
                       b * (proposed.log_target(i) - walkers.log_target(i));
    for (std::size_t j = 0; j < K; ++j) {
      // The way back has the noise -(xi + eps/2 (h + h')).
      const std::size_t at = i * K + j;
      const double h = drift(walkers, at, lengths[j]) + drift(proposed, at, lengths[j]);
      const double back = xi[at] + 0.5 * eps * h;
      log_ratio += 0.5 * (xi[at] * xi[at] - back * back);
    }
    if (std::log(random.uniform(count * K + i)) >= log_ratio) continue;
    copy_row(proposed, i, walkers, i, map);
    ++accepted;
  }
  return static_cast<double>(accepted) / static_cast<double>(count);
}

}  // namespace

double langevin_move(Walkers& walkers, const Proposal& proposal, const Potential& potential,
                     double b, double eps, std::span<const double> lengths, const Random& random) {
  const auto log_density = [&](std::span<const double> z) { return proposal.log_density(z); };
  return move_and_judge(walkers, proposal.map(), potential, log_density, b, eps, lengths, random);
}

double langevin_move(Walkers& walkers, const md::CoordinateMap& map, const nn::Head& head,
                     const Potential& potential, double eps, std::span<const double> lengths,
                     const Random& random) {
  const std::size_t K = width(map);
  const auto inside = [&](std::span<const double> z) {
    std::vector<double> log_q(z.size() / K, 0.0);
    for (std::size_t i = 0; i < log_q.size(); ++i)
      if (!head.inside(z.subspan(i * K, K))) log_q[i] = -INFINITY;
    return log_q;
  };
  return move_and_judge(walkers, map, potential, inside, 1, eps, lengths, random);
}

}  // namespace arbg::sampling
