// E = sum over pairs of 4 epsilon ((sigma/r)^12 - (sigma/r)^6) + kCoulomb q_i q_j (1/r - shift)
//
// All i < j of [N] but the exclusions, within the cutoff: sigma the mean of both, epsilon the
// geometric mean, shift = 1/cutoff (0 without one). Then system.scaled_pairs with parameters of
// their own, without cutoff and shift. x and forces [N, 3], of which a pair touches rows i and j.
#include "md/molecule/units.h"
#include "md/molecule/vector3.h"
#include "md/terms/nonbonded.h"

namespace arbg::md {

namespace {

struct Pair {
  double charge_product_e2, sigma_nm, epsilon_kj_mol;
  double coulomb_shift_per_nm;  // taken off 1/r
};

double pair_reference(const Pair& pair, int i, int j, const Vector3& rij,
                      std::span<double> forces) {
  const double r = norm(rij);
  const double s = pair.sigma_nm / r;
  const double s6 = s * s * s * s * s * s;
  const double lennard_jones = 4 * pair.epsilon_kj_mol * s6 * (s6 - 1);
  const double coulomb = kCoulomb * pair.charge_product_e2 * (1 / r - pair.coulomb_shift_per_nm);

  const double dE_dr = -4 * pair.epsilon_kj_mol * s6 * (12 * s6 - 6) / r -
                       kCoulomb * pair.charge_product_e2 / (r * r);
  const Vector3 force_j = (-dE_dr / r) * rij;
  add_force(forces, j, force_j);
  add_force(forces, i, -1.0 * force_j);
  return lennard_jones + coulomb;
}

}  // namespace

double nonbonded_reference(const System& system, std::span<const double> positions_nm,
                           std::span<double> forces) {
  const double shift = system.cutoff_nm > 0 ? 1 / system.cutoff_nm : 0;
  double energy = 0;
  auto exclusion = system.exclusions.begin();  // sorted as the pairs below are visited
  for (int i = 0; i < system.atom_count(); ++i) {
    for (int j = i + 1; j < system.atom_count(); ++j) {
      if (exclusion != system.exclusions.end() && *exclusion == std::pair(i, j)) {
        ++exclusion;
        continue;
      }
      const Vector3 rij = at(positions_nm, j) - at(positions_nm, i);
      if (system.cutoff_nm > 0 && norm(rij) > system.cutoff_nm) continue;
      const Nonbonded& a = system.nonbonded[static_cast<std::size_t>(i)];
      const Nonbonded& b = system.nonbonded[static_cast<std::size_t>(j)];
      const Pair pair = {a.charge_e * b.charge_e, (a.sigma_nm + b.sigma_nm) / 2,
                         std::sqrt(a.epsilon_kj_mol * b.epsilon_kj_mol), shift};
      energy += pair_reference(pair, i, j, rij, forces);
    }
  }
  for (const ScaledPair& scaled : system.scaled_pairs) {
    const Vector3 rij = at(positions_nm, scaled.j) - at(positions_nm, scaled.i);
    const Pair pair = {scaled.charge_product_e2, scaled.sigma_nm, scaled.epsilon_kj_mol, 0};
    energy += pair_reference(pair, scaled.i, scaled.j, rij, forces);
  }
  return energy;
}

}  // namespace arbg::md
