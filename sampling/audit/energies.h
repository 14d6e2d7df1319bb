// Are energies and forces those of the force field, and what must not change them?
//
// Against the reference backend, the sum of terms, differences of energies, and conformations
// moved, turned and mirrored. 1-4 pairs are found again from the bonds.
#pragma once

#include <span>
#include <vector>

#include "sampling/audit/check.h"
#include "sampling/proposals/generator.h"
#include "sampling/targets/target.h"

namespace arbg::sampling {

// Conformations [B, N, 3] of finite energy and the right hand.
std::vector<Check> audit_energies(const md::Topology& topology, const Target& target,
                                  std::span<const double> positions_nm);

// log q, volume factor and weight of internal coordinates under rotation and translation, and what
// becomes of mirror images.
std::vector<Check> audit_symmetry(const md::Topology& topology, const Generator& generator,
                                  const Target& target, std::span<const double> positions_nm);

}  // namespace arbg::sampling
