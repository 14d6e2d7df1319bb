// Metropolis-adjusted Langevin moves of particles under the geometric path between q and pi:
//
//   log pi_b(z) = (1 - b) log q(z) + b (-u(x(z)) + log_volume(z))
//   z' = z + eps s (xi + eps/2 h),   h_j = s_j d/dz_j (-u + log_volume), kept within +-3
//
// xi standard normal, s_j a length for each coordinate. Accepted with probability
// min(1, pi_b(z') T(z' -> z) / (pi_b(z) T(z -> z'))), log q exact, by
// Proposal::log_density. The drift is that of pi at every b: the gradient of q is not at hand, and
// a q that is worth annealing has nearly that of pi. With the share b of it alone, steps of the
// same acceptance are shorter (apps/bench/results/annealing.md). What the drift is costs
// acceptance, never exactness.
// Periodic coordinates wrap; a move out of the support has q = 0 and is rejected. (Roberts,
// Tweedie, Bernoulli 2, 1996.)
#pragma once

#include <cstdint>
#include <vector>

#include "nn/heads/head.h"
#include "sampling/proposals/proposal.h"
#include "sampling/targets/potential.h"
#include "tensor/base/ranks.h"

namespace arbg::sampling {

// Particles with what a move needs to know of them.
struct Walkers {
  Samples samples;
  std::vector<double> u;      // [P]
  std::vector<double> slope;  // d/dz (-u + log_volume) [P, K], zeros where u is infinite

  std::int64_t count() const { return samples.count(); }
  double log_target(std::size_t i) const { return -u[i] + samples.log_volume[i]; }
  void select(std::span<const std::int64_t> from, const md::CoordinateMap& map);
  Walkers rows(std::int64_t first, std::int64_t count, const md::CoordinateMap& map) const;
  void replace(std::int64_t first, const Walkers& by, const md::CoordinateMap& map);
};

// Walkers of all ranks, one behind the other in the order of ranks. Together.
Walkers gather(const Walkers& own, const Ranks& ranks);

// Energies and slopes of samples that have been drawn.
Walkers make_walkers(Samples samples, const md::CoordinateMap& map, const Potential& potential);

// s_j: a normal density with the typical slope of its coordinate, 0.6745 / median |slope_j|, at
// most a tenth of the support. The median does not see the few walkers with colliding atoms.
std::vector<double> move_lengths(const Walkers& walkers, const md::CoordinateMap& map);

// One move of every walker, with the numbers of Random(seed, stream); returns the share accepted.
// Interrupted, it leaves the walkers where they are and returns 0.
double langevin_move(Walkers& walkers, const Proposal& proposal, const Potential& potential,
                     double b, double eps, std::span<const double> lengths, const Random& random);

// The same at b = 1, where q does not count and no network is needed: log_q becomes 0.
double langevin_move(Walkers& walkers, const md::CoordinateMap& map, const nn::Head& head,
                     const Potential& potential, double eps, std::span<const double> lengths,
                     const Random& random);

}  // namespace arbg::sampling
