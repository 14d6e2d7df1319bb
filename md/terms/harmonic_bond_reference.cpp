// E = sum over system.bonds of k/2 (r - length)^2,  r = |x_j - x_i|
//
// One bond after the other; x and forces [N, 3], of which a bond touches rows i and j.
#include "md/molecule/vector3.h"
#include "md/terms/harmonic_bond.h"

namespace arbg::md {

double harmonic_bond_reference(const System& system, std::span<const double> positions_nm,
                               std::span<double> forces) {
  double energy = 0;
  for (const HarmonicBond& bond : system.bonds) {
    const Vector3 rij = at(positions_nm, bond.j) - at(positions_nm, bond.i);
    const double r = norm(rij);
    const double stretch = r - bond.length_nm;
    energy += bond.k_kj_mol_nm2 / 2 * stretch * stretch;

    const double dE_dr = bond.k_kj_mol_nm2 * stretch;
    const Vector3 force_j = (-dE_dr / r) * rij;
    add_force(forces, bond.j, force_j);
    add_force(forces, bond.i, -1.0 * force_j);
  }
  return energy;
}

}  // namespace arbg::md
