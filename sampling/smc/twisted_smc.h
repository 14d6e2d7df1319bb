// Autoregressive twisted sequential Monte Carlo: particles grow atom by atom, and those whose
// beginnings look promising are copied.
//
// After stage k (a residue, say) a particle's weight is multiplied by psi_k / psi_{k-1},
//
//   log psi_k = -lambda (U_k + log q_k),   psi_0 = 1
//
// with U_k the reduced energy of the terms whose atoms are all placed, without solvent
// (Potential::restricted), and q_k the density of the bins and places so far; without
// `against_density`, log psi_k = -lambda U_k. Where U_k is infinite psi_k is 0, whatever lambda is:
// so is the weight at the end. The last factor, exp(-u) volume / (q psi_K), makes the whole product
// the importance weight, so that log Z is unbiased for any psi. With q exp(-lambda U_k) as the
// target of a stage a perfect q would be sampled at a lower temperature than its own; against the
// density, where q is the Boltzmann distribution of the atoms placed psi is constant and nothing is
// resampled. (Del Moral, Doucet, Jasra, "Sequential Monte Carlo samplers", 2006; Whiteley, Lee,
// "Twisted particle filters", 2014.)
#pragma once

#include <vector>

#include "md/molecule/topology.h"
#include "sampling/smc/population.h"
#include "sampling/targets/potential.h"

namespace arbg::sampling {

struct Twist {
  double lambda = 0.2;           // of every stage, up to 1; 0: resampled at the end alone, never
  bool against_density = true;   // the q_k in psi
  std::vector<int> stage_atoms;  // numbers of atoms placed, ascending, below N
};

// A stage at the end of each residue but the last, in the map's order.
std::vector<int> residue_stages(const md::Topology& topology, const md::CoordinateMap& map);

// Populations depend on (seed, population, its size) alone. Fewer when interrupted. Throws Error
// for a lambda below 0 and stages that do not ascend from 1 to N - 1, and where
// the proposal does not draw coordinate by coordinate.
std::vector<SmcPopulation> sample_twisted(const Proposal& proposal, const Potential& potential,
                                          const Twist& twist, const SmcOptions& options);

}  // namespace arbg::sampling
