#include "sampling/smc/hamiltonian_move.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "sampling/proposals/shared_samples.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/threads.h"

namespace arbg::sampling {
namespace {

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
  const std::size_t K = width(map);
  std::vector<double> lengths(K), slopes;
  for (std::size_t j = 0; j < K; ++j) {
    slopes.clear();
    for (std::size_t i = 0; i < walkers.u.size(); ++i)
      if (std::isfinite(walkers.u[i])) slopes.push_back(std::abs(walkers.slope[i * K + j]));
    const auto middle = slopes.begin() + std::ssize(slopes) / 2;
    if (!slopes.empty()) std::nth_element(slopes.begin(), middle, slopes.end());
    const double median = slopes.empty() ? 0 : *middle;
    const md::Coordinate& c = map.coordinates()[j];
    const double most = (c.high - c.low) / 10;
    lengths[j] = median * most > kMedianOfNormal ? kMedianOfNormal / median : most;
  }
  return lengths;
}

namespace {

// What a move asks of z: the support, a row at a time, and log q of all rows.
struct Density {
  std::function<bool(std::span<const double>)> inside;
  std::function<std::vector<double>(std::span<const double>)> log_q;
};

// Where leapfrog takes the walkers.
struct Trajectories {
  Walkers ends;
  std::vector<double> kinetic;  // [N], gained on the way
  std::vector<char> lost;       // [N], whether it left the support on the way
};

// Numbers of row i of K coordinates: pairs i K ... i K + K - 1.
Trajectories leapfrog_from(const Walkers& walkers, const md::CoordinateMap& map,
                           const Potential& potential, const Density& density,
                           const Leapfrog& leapfrog, const Random& random) {
  const std::size_t K = width(map), count = walkers.u.size();
  std::vector<double> xi(count * K);
  for (std::size_t at = 0; at < xi.size(); ++at) xi[at] = random.normal_pair(at)[0];
  std::vector<double> v = xi;
  Trajectories out{walkers, std::vector<double>(count), std::vector<char>(count)};
  std::vector<double>& z = out.ends.samples.coordinates;
  const auto kick = [&] {
    for (std::size_t at = 0; at < v.size(); ++at)
      v[at] += 0.5 * leapfrog.eps *
               std::clamp(leapfrog.lengths[at % K] * out.ends.slope[at], -leapfrog.largest,
                          leapfrog.largest);
  };
  for (int step = 0; step < leapfrog.steps && !interrupted(); ++step) {
    kick();
    for (std::size_t at = 0; at < z.size(); ++at) {
      const std::size_t j = at % K;
      z[at] = wrapped(map.coordinates()[j], z[at] + leapfrog.eps * leapfrog.lengths[j] * v[at]);
    }
    // Outside of the support geometry may break down: such a row waits where it began until it is
    // rejected.
    for (std::size_t i = 0; i < count; ++i) {
      out.lost[i] = out.lost[i] || !density.inside(std::span(z).subspan(i * K, K));
      if (out.lost[i]) copy_row(walkers, i, out.ends, i, map);
    }
    evaluate(out.ends, map, potential);
    for (std::size_t i = 0; i < count; ++i)
      out.lost[i] = out.lost[i] || !std::isfinite(out.ends.u[i]);
    kick();
  }
  for (std::size_t at = 0; at < v.size(); ++at)
    out.kinetic[at / K] += 0.5 * (v[at] * v[at] - xi[at] * xi[at]);
  return out;
}

// log q of the ends; rows that are rejected whatever their density is cost no pass of the network.
// Returns how many were asked for.
std::int64_t add_log_q(Trajectories& trajectories, const md::CoordinateMap& map,
                       const Density& density) {
  Samples& samples = trajectories.ends.samples;
  const std::size_t K = width(map), count = trajectories.lost.size();
  std::vector<double> arrived;
  for (std::size_t i = 0; i < count; ++i) {
    if (trajectories.lost[i]) continue;
    const auto row = std::span(samples.coordinates).subspan(i * K, K);
    arrived.insert(arrived.end(), row.begin(), row.end());
  }
  const std::vector<double> log_q = density.log_q(arrived);
  if (interrupted()) return 0;
  auto next = log_q.begin();
  for (std::size_t i = 0; i < count; ++i)
    if (!trajectories.lost[i]) samples.log_q[i] = *next++;
  return std::ssize(log_q);
}

// Metropolis: walkers whose move is accepted move to the end of their trajectory. Row i of N takes
// number N K + i.
MoveShares move_and_judge(Walkers& walkers, const md::CoordinateMap& map,
                          const Potential& potential, const Density& density, double b,
                          const Leapfrog& leapfrog, const Random& random) {
  const std::size_t K = width(map), count = walkers.u.size();
  Trajectories trajectories = leapfrog_from(walkers, map, potential, density, leapfrog, random);
  if (interrupted()) return {};
  MoveShares out;
  out.densities = add_log_q(trajectories, map, density);
  if (interrupted()) return {};
  const Walkers& ends = trajectories.ends;
  std::int64_t living = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const bool lives = std::isfinite(walkers.u[i]);
    living += lives;
    if (trajectories.lost[i] || !std::isfinite(ends.samples.log_q[i])) continue;
    const double target = ends.log_target(i) - walkers.log_target(i);
    const double q = ends.samples.log_q[i] - walkers.samples.log_q[i];
    if (lives) out.conserved += std::min(1.0, std::exp(target - trajectories.kinetic[i]));
    const double log_ratio = (1 - b) * q + b * target - trajectories.kinetic[i];
    if (!(std::log(random.uniform(count * K + i)) < log_ratio)) continue;
    copy_row(ends, i, walkers, i, map);
    if (lives) out.accepted += 1;
  }
  for (double* share : {&out.accepted, &out.conserved})
    *share /= static_cast<double>(std::max<std::int64_t>(living, 1));
  return out;
}

}  // namespace

MoveShares hamiltonian_move(Walkers& walkers, const Proposal& proposal, const Potential& potential,
                            double b, const Leapfrog& leapfrog, const Random& random) {
  const Density density{[&](std::span<const double> z) { return proposal.inside(z); },
                        [&](std::span<const double> z) { return proposal.log_density(z); }};
  return move_and_judge(walkers, proposal.map(), potential, density, b, leapfrog, random);
}

MoveShares hamiltonian_move(Walkers& walkers, const md::CoordinateMap& map, const nn::Head& head,
                            const Potential& potential, const Leapfrog& leapfrog,
                            const Random& random) {
  const std::size_t K = width(map);
  const Density density{
      [&](std::span<const double> z) { return head.inside(z); },
      [&](std::span<const double> z) { return std::vector<double>(z.size() / K, 0.0); }};
  return move_and_judge(walkers, map, potential, density, 1, leapfrog, random);
}

}  // namespace arbg::sampling
