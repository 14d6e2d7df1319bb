// Implicit solvent: generalised Born (OBC) and a surface term.
//
//   E = -1/2 tau sum_ij q_i q_j (1/f_ij - shift) + sum_i s (radius_i + probe)^2 (radius_i/B_i)^6
//   f = sqrt(r^2 + B_i B_j exp(-r^2/(4 B_i B_j)))
//   B = 1/(1/rho - tanh(alpha psi - beta psi^2 + gamma psi^3)/radius)
//   tau = kCoulomb (1/solute_dielectric - 1/solvent_dielectric), psi = I rho, rho = radius - offset
//
// The diagonal i = j has f = B and shift = 0. The descreening integral over the other atoms is
//
//   I = 1/2 sum_j (1/L - 1/U + (r - s^2/r)/4 (1/U^2 - 1/L^2) + log(L/U)/(2r))
//   L = max(rho, |r - s|), U = r + s, s = scale_j rho_j; nothing if rho >= U
//
// and 1/rho - 1/L more for an atom inside another's sphere (rho < s - r): with OBC2, not with OBC1
// (descreens_inside), as in OpenMM's GBSAOBCForce and its script for OBC1.
// Without a cutoff shift = 0; with one, shift = 1/cutoff and pairs beyond it neither interact nor
// descreen. Positions [N, 3] in nm; returns kJ/mol and adds -dE/dx in kJ/mol/nm to forces [N, 3],
// which may be empty.
// Sources: Still et al., JACS 112, 6127 (1990); for I: Hawkins, Cramer, Truhlar, Chem. Phys. Lett.
// 246, 122 (1995); for B: Onufriev, Bashford, Case, Proteins 55, 383 (2004); for the surface:
// OpenMM theory guide, "GBSAOBCForce".
#pragma once

#include <span>
#include <vector>

#include "md/molecule/system.h"

namespace arbg::md {

double generalised_born_reference(const System& system, std::span<const double> positions_nm,
                                  std::span<double> forces);

// The effective radii B in nm: [N].
std::vector<double> born_radii_reference(const System& system,
                                         std::span<const double> positions_nm);

}  // namespace arbg::md
