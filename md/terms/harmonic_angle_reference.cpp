// E = sum over system.angles of k/2 (theta - angle)^2,  theta = atan2(|a x b|, a.b),
//     a = x_i - x_j,  b = x_k - x_j
//
// One angle after the other; x and forces [N, 3], of which an angle touches rows i, j and k.
#include <algorithm>

#include "md/molecule/vector3.h"
#include "md/terms/harmonic_angle.h"

namespace arbg::md {

double harmonic_angle_reference(const System& system, std::span<const double> positions_nm,
                                std::span<double> forces) {
  double energy = 0;
  for (const HarmonicAngle& angle : system.angles) {
    const Vector3 a = at(positions_nm, angle.i) - at(positions_nm, angle.j);
    const Vector3 b = at(positions_nm, angle.k) - at(positions_nm, angle.j);
    const Vector3 normal = cross(a, b);
    const double sine = norm(normal);  // |a||b| sin(theta)
    const double theta = std::atan2(sine, dot(a, b));
    const double bend = theta - angle.angle_rad;
    energy += angle.k_kj_mol_rad2 / 2 * bend * bend;

    // theta grows when the end of a moves, in the plane, away from b: along a x (a x b).
    const double dE_dtheta = angle.k_kj_mol_rad2 * bend;
    const double safe_sine = std::max(sine, 1e-30);
    const Vector3 dtheta_da = (1 / (dot(a, a) * safe_sine)) * cross(a, normal);
    const Vector3 dtheta_db = (1 / (dot(b, b) * safe_sine)) * cross(normal, b);
    add_force(forces, angle.i, -dE_dtheta * dtheta_da);
    add_force(forces, angle.k, -dE_dtheta * dtheta_db);
    add_force(forces, angle.j, dE_dtheta * (dtheta_da + dtheta_db));
  }
  return energy;
}

}  // namespace arbg::md
