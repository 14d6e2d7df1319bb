// Annealed sequential Monte Carlo: particles drawn from q are carried to pi over a ladder
// 0 = b_0 < ... < b_L = 1 of the path of hamiltonian_move.h.
//
// At rung l a particle's weight is multiplied by (pi~ / q)^(b_l - b_{l-1}); it is resampled where
// the ESS falls below the threshold, then moved. With ladder, steps and lengths fixed in advance
// the mean weight is unbiased for Z. A pilot population, of 64 particles or more, fixes them: the
// next rung is where the conditional ESS (Zhou, Johansen, Aston, 2016) is `conditional_ess`, steps
// are driven to where leapfrog conserves `conserved`. The pilot's own weights adapt to its
// particles and are thrown away. (Del Moral, Doucet, Jasra, "Sequential Monte Carlo samplers",
// 2006.)
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "sampling/smc/population.h"
#include "sampling/targets/potential.h"

namespace arbg::sampling {

struct AnnealingPlan {
  std::vector<double> b;                     // b_1 ... b_L = 1
  std::vector<double> eps;                   // step of the moves at each rung
  std::vector<double> lengths;               // s_j [K]
  int moves = 1;                             // at each rung
  int leapfrog_steps = 1;                    // of a move
  std::int64_t energies = 0, densities = 0;  // what the pilot cost
};

struct AnnealingOptions {
  int moves = 1;
  int leapfrog_steps = 8;  // of a move
  double conditional_ess = 0.9;
  double conserved = 0.8;  // MoveShares::conserved
  std::int64_t most_rungs = 10000;
  // From the pilot, after each rung: where it is, and how many there are so far.
  std::function<void(double b, std::int64_t rungs)> on_rung;
};

// Throws Error if the pilot's particles all have weight 0, or need too many rungs. Returns an
// incomplete plan when interrupted.
AnnealingPlan plan_annealing(const Proposal& proposal, const Potential& potential,
                             const AnnealingOptions& annealing, const SmcOptions& options);

std::vector<SmcPopulation> sample_annealed(const Proposal& proposal, const Potential& potential,
                                           const AnnealingPlan& plan, const SmcOptions& options);

}  // namespace arbg::sampling
