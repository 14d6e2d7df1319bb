// phi and psi of every residue: how much samples and reference differ, and what lies in which
// basin. Inside sampling/evaluation only.
#pragma once

#include <span>
#include <vector>

#include "sampling/evaluation/compared_rows.h"

namespace arbg::sampling {

// phi and psi of every residue that has them, [B, width]: all phi first, then all psi.
std::vector<double> torsions_of(const md::Topology& topology, std::span<const double> positions_nm,
                                std::size_t& width);

// Torsions as torsions_of() gives them; weight [B], normalised. And the mean of their total
// variations, if there are any.
std::vector<ResidueAngles> compare_residues(const WeightedEnsemble& samples,
                                            const ReferenceEnsemble& reference,
                                            std::span<const double> sample_torsions,
                                            std::span<const double> reference_torsions,
                                            std::span<const double> weight, const Points& at,
                                            Distance& mean_variation);

}  // namespace arbg::sampling
