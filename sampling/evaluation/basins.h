// Shares and free energies of the basins of a residue, with intervals. Inside sampling/evaluation
// only.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "sampling/evaluation/evaluation.h"
#include "sampling/evaluation/parts.h"

namespace arbg::sampling {

// Fills basins and lowest of `residue`, whose angles are there. `weight` of its samples; frames of
// the reference count alike.
void compare_basins(ResidueAngles& residue, std::span<const double> weight, const Parts& samples,
                    const Parts& reference, std::uint64_t seed);

}  // namespace arbg::sampling
