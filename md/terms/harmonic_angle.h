// Angle bending: E = sum over angles of k/2 (theta - angle)^2, theta between the bonds j-i and j-k.
//
// Positions [N, 3] in nm; returns kJ/mol and adds -dE/dx in kJ/mol/nm to forces [N, 3], which may
// be empty. Three atoms exactly in line have an energy and, as its direction is undefined, no
// force.
// Source: OpenMM theory guide, "HarmonicAngleForce".
#pragma once

#include <span>

#include "md/molecule/system.h"

namespace arbg::md {

double harmonic_angle_reference(const System& system, std::span<const double> positions_nm,
                                std::span<double> forces);

}  // namespace arbg::md
