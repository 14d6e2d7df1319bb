// Lennard-Jones and Coulomb energy of all pairs that are not excluded, and of the scaled 1-4 pairs.
//
//   E = sum of 4 eps ((sigma/r)^12 - (sigma/r)^6) + kCoulomb q_i q_j (1/r - shift)
//
// sigma = (s_i + s_j)/2, eps = sqrt(e_i e_j). Without a cutoff shift = 0. With one, pairs beyond it
// have no energy and shift = 1/cutoff (a reaction field of dielectric 1); LJ is cut without a
// switch; 1-4 pairs are neither cut nor shifted. Positions [N, 3] in nm; returns kJ/mol and adds
// -dE/dx in kJ/mol/nm to forces [N, 3], which may be empty.
// Source: OpenMM theory guide, "NonbondedForce".
#pragma once

#include <span>

#include "md/molecule/system.h"

namespace arbg::md {

double nonbonded_reference(const System& system, std::span<const double> positions_nm,
                           std::span<double> forces);

}  // namespace arbg::md
