// The torsions of a peptide, as quadruples of atom indices in chain order.
//
//   phi    C(r-1) - N - CA - C       of every residue whose N is bonded to the C of another
//   psi    N - CA - C - N(r+1)       of every residue whose C is bonded to the N of another
//   omega  CA - C - N(r+1) - CA(r+1) of every bond between two amino acids
//
// Caps take part in phi and psi, but their methyl groups make no omega: the convention of the
// published tables.
//
//   chi1 ... chi5  of a residue: four consecutive atoms each of N, CA, CB and the side chain's
//                  heavy atoms outwards, of branches the first (CG1, OG1, CD1, OD1, ND1, NH1)
//
// Source: IUPAC-IUB, "Abbreviations and symbols for the description of the conformation of
// polypeptide chains", Biochemistry 9, 3471 (1970). A disulfide bond has no chi here.
#pragma once

#include <array>
#include <vector>

#include "md/molecule/topology.h"

namespace arbg::md {

struct BackboneTorsions {
  std::vector<std::array<int, 4>> phi, psi, omega;
};

BackboneTorsions backbone_torsions(const Topology& topology);

struct SideChainTorsion {
  int residue;  // index into Topology::residues
  int number;   // 1 for chi1
  std::array<int, 4> atoms;
};

// By residue, then by number. A residue that lacks an atom has the torsions before it; one of
// another kind, glycine, alanine and caps have none.
std::vector<SideChainTorsion> side_chain_torsions(const Topology& topology);

}  // namespace arbg::md
