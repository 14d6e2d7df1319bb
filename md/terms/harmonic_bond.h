// Bond stretching: E = sum over bonds of k/2 (r - length)^2, r = |x_j - x_i|.
//
// Positions [N, 3] in nm; returns kJ/mol and adds -dE/dx in kJ/mol/nm to forces [N, 3], which may
// be empty.
// Source: OpenMM theory guide, "HarmonicBondForce" (mind the 1/2: AMBER's own k has none).
#pragma once

#include <span>

#include "md/molecule/system.h"

namespace arbg::md {

double harmonic_bond_reference(const System& system, std::span<const double> positions_nm,
                               std::span<double> forces);

}  // namespace arbg::md
