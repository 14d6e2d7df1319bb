// E = sum over system.torsions of k (1 + cos(n phi - phase)), impropers among them,
//     phi the dihedral i-j-k-l, IUPAC sign
//
// One torsion after the other; x and forces [N, 3], of which a torsion touches rows i, j, k and l.
#include <algorithm>

#include "md/molecule/vector3.h"
#include "md/terms/periodic_torsion.h"

namespace arbg::md {

double periodic_torsion_reference(const System& system, std::span<const double> positions_nm,
                                  std::span<double> forces) {
  double energy = 0;
  for (const PeriodicTorsion& torsion : system.torsions) {
    const Vector3 b1 = at(positions_nm, torsion.j) - at(positions_nm, torsion.i);
    const Vector3 b2 = at(positions_nm, torsion.k) - at(positions_nm, torsion.j);
    const Vector3 b3 = at(positions_nm, torsion.l) - at(positions_nm, torsion.k);
    const Vector3 n1 = cross(b1, b2), n2 = cross(b2, b3);  // normals of the planes ijk and jkl
    const double axis = norm(b2);
    const double phi = std::atan2(axis * dot(b1, n2), dot(n1, n2));
    const double argument = torsion.periodicity * phi - torsion.phase_rad;
    energy += torsion.k_kj_mol * (1 + std::cos(argument));

    // Moving i or l turns its plane about the axis; j and k get what keeps force and torque zero.
    const double dE_dphi = -torsion.k_kj_mol * torsion.periodicity * std::sin(argument);
    const Vector3 dphi_di = (-axis / std::max(dot(n1, n1), 1e-60)) * n1;
    const Vector3 dphi_dl = (axis / std::max(dot(n2, n2), 1e-60)) * n2;
    const double lean_i = dot(b1, b2) / (axis * axis), lean_l = dot(b3, b2) / (axis * axis);
    const Vector3 dphi_dj = lean_l * dphi_dl - (1 + lean_i) * dphi_di;
    const Vector3 dphi_dk = lean_i * dphi_di - (1 + lean_l) * dphi_dl;
    add_force(forces, torsion.i, -dE_dphi * dphi_di);
    add_force(forces, torsion.j, -dE_dphi * dphi_dj);
    add_force(forces, torsion.k, -dE_dphi * dphi_dk);
    add_force(forces, torsion.l, -dE_dphi * dphi_dl);
  }
  return energy;
}

}  // namespace arbg::md
