// The backbone torsions of a peptide, as quadruples of atom indices in chain order.
//
//   phi    C(r-1) - N - CA - C       of every residue whose N is bonded to the C of another
//   psi    N - CA - C - N(r+1)       of every residue whose C is bonded to the N of another
//   omega  CA - C - N(r+1) - CA(r+1) of every bond between two amino acids
//
// Caps take part in phi and psi, but their methyl groups make no omega: the convention of the
// published tables.
#pragma once

#include <array>
#include <vector>

#include "md/molecule/topology.h"

namespace arbg::md {

struct BackboneTorsions {
  std::vector<std::array<int, 4>> phi, psi, omega;
};

BackboneTorsions backbone_torsions(const Topology& topology);

}  // namespace arbg::md
