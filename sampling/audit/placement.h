// Are placement energies those of the force field, and does the network get them as they are?
//
// Of a model that is told them (nn/transformer/placement.h): energies of an atom in a bin as
// differences of the restricted force field with and without it, by the reference backend; places
// by trigonometry of their own, the solvent by a loop over pairs.
#pragma once

#include <span>
#include <vector>

#include "sampling/audit/check.h"
#include "sampling/proposals/generator.h"
#include "sampling/targets/target.h"

namespace arbg::sampling {

// Conformations [B, N, 3] of finite energy; a few of them are looked at. The target's force field
// is that of the placement energies. Nothing for a model without.
std::vector<Check> audit_placement(const Generator& generator, const Target& target,
                                   std::span<const double> positions_nm);

}  // namespace arbg::sampling
