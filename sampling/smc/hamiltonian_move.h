// Hamiltonian Monte Carlo moves of particles under the geometric path between q and pi:
//
//   log pi_b(z) = (1 - b) log q(z) + b log pi(z),   log pi(z) = -u(x(z)) + log_volume(z)
//
// A walker takes velocities v ~ N(0, 1), one for each coordinate, and n leapfrog steps
//
//   v += eps/2 h(z),  z += eps s v,  v += eps/2 h(z),   h_j = s_j d/dz_j log pi
//
// with s_j a length for each coordinate and h_j cut off where atoms collide, and is accepted with
// probability min(1, pi_b(z') exp(-v'^2/2) / (pi_b(z) exp(-v^2/2))), log q exact, by
// Proposal::log_density. That is exact for any h that is a function of z alone, and asks for one
// log q a trajectory. The drift is that of pi at every b: the gradient of q is not at hand, and a q
// that is worth annealing has nearly that of pi. What the drift is costs acceptance, never
// exactness.
//
// Where h is not cut off, log pi - v^2/2 is kept along a trajectory but for the error of the steps:
// what acceptance is left to lose is (1 - b) (log w' - log w), w = pi / q, which does not grow with
// the length of the trajectory as long as q has no holes.
//
// One step is the Metropolis-adjusted Langevin move. Periodic coordinates wrap; a trajectory that
// leaves the support is rejected. (Duane, Kennedy, Pendleton, Roweth, Physics Letters B 195, 1987;
// Roberts, Tweedie, Bernoulli 2, 1996.)
#pragma once

#include <cstdint>
#include <span>
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
// most a tenth of the support. The median is of walkers of finite u, and does not see the few among
// them whose atoms collide.
std::vector<double> move_lengths(const Walkers& walkers, const md::CoordinateMap& map);

struct Leapfrog {
  double eps = 0.5;
  int steps = 1;
  std::span<const double> lengths;  // s_j [K]
  double largest = 10;              // of |h_j|, which is about N(0, 1) where all is well
};

// Shares are means over walkers whose u was finite before.
struct MoveShares {
  double accepted = 0;
  // min(1, exp(change of log pi - v^2/2)), 0 of trajectories that left the support: what `accepted`
  // would be at b = 1.
  double conserved = 0;
  std::int64_t densities = 0;  // log q asked for: of trajectories that stayed in the support
};

// One move of every walker at a b above 0, with the numbers of Random(seed, stream). Interrupted,
// it leaves the walkers where they are and returns zeros.
MoveShares hamiltonian_move(Walkers& walkers, const Proposal& proposal, const Potential& potential,
                            double b, const Leapfrog& leapfrog, const Random& random);

// The same at b = 1, where q does not count and no network is needed: log_q becomes 0 in walkers
// that move, and says nothing in any.
MoveShares hamiltonian_move(Walkers& walkers, const md::CoordinateMap& map, const nn::Head& head,
                            const Potential& potential, const Leapfrog& leapfrog,
                            const Random& random);

}  // namespace arbg::sampling
