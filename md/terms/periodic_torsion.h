// Torsions, proper and improper: E = sum of k (1 + cos(n phi - phase)), phi the dihedral i-j-k-l.
//
// phi is 0 when i and l are on the same side (cis) and positive clockwise looking from j to k
// (IUPAC). Positions [N, 3] in nm; returns kJ/mol and adds -dE/dx in kJ/mol/nm to forces [N, 3],
// which may be empty. Where three of the atoms are exactly in line phi is undefined; it counts as 0
// there, without a force.
// Sources: OpenMM theory guide, "PeriodicTorsionForce"; for the derivative: Blondel and Karplus,
// J. Comput. Chem. 17, 1132 (1996).
#pragma once

#include <span>

#include "md/molecule/system.h"

namespace arbg::md {

double periodic_torsion_reference(const System& system, std::span<const double> positions_nm,
                                  std::span<double> forces);

}  // namespace arbg::md
