// Is q a probability, and is log q the density of what is sampled?
//
// Checks of the network with its decoding, on samples that it has drawn (fresh ones): conditionals,
// sums over all sequences, cache against no cache, and what may depend on what.
#pragma once

#include <vector>

#include "sampling/audit/check.h"
#include "sampling/proposals/generator.h"

namespace arbg::sampling {

// `samples` were drawn by the generator with that decoding.
std::vector<Check> audit_probabilities(const Generator& generator, const Samples& samples,
                                       const Decoding& decoding);

}  // namespace arbg::sampling
