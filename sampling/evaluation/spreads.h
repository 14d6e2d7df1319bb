// How the numbers of conformations (observables.h) are spread over samples and reference. Inside
// sampling/evaluation only.
//
// Compared are the points of the distances, in 51 cells over the range of the reference (whole
// numbers have a cell each), and one more on either side for what lies outside.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sampling/evaluation/compared_rows.h"
#include "sampling/evaluation/observables.h"

namespace arbg::sampling {

std::vector<Spread> compare_spreads(const std::vector<Observable>& observables,
                                    const WeightedEnsemble& samples,
                                    const ReferenceEnsemble& reference, const Points& at);

// Of all samples and all frames; `weight` [B], normalised.
Folding compare_folding(std::span<const double> structure_nm, double limit_nm,
                        const WeightedEnsemble& samples, const ReferenceEnsemble& reference,
                        std::span<const double> weight, std::uint64_t seed);

}  // namespace arbg::sampling
