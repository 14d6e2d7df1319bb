// Is q a probability, and is log q the density of what is sampled?
//
// Checks of the network with its decoding, on samples that it has drawn (fresh ones): conditionals,
// sums over all sequences, cache against no cache, and what may depend on what.
#pragma once

#include <vector>

#include "sampling/audit/check.h"
#include "sampling/audit/coordinates.h"
#include "sampling/proposals/autoregressive.h"
#include "sampling/targets/target.h"

namespace arbg::sampling {

// `samples` were drawn by the proposal's generator with its decoding. The target's force field is
// that of its placement energies, if it has some.
std::vector<Check> audit_probabilities(const AutoregressiveProposal& proposal, const Target& target,
                                       const BinnedSamples& samples);

}  // namespace arbg::sampling
