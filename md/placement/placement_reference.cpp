// u[c, v] = (E_c(placed atoms and the atom at phi_v) - E_c(placed atoms)) / RT
//
// One candidate after the other: the atom is set there in x [N, 3], and the terms that it completes
// are added up. Bonded ones touch only their own atoms, pairs only atoms of earlier rows.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "md/molecule/units.h"
#include "md/molecule/vector3.h"
#include "md/placement/placement.h"
#include "md/placement/placement_rows.h"
#include "md/terms/harmonic_angle.h"
#include "md/terms/harmonic_bond.h"
#include "md/terms/periodic_torsion.h"

namespace arbg::md {
namespace {

double lennard_jones(double sigma_nm, double epsilon_kj_mol, double d) {
  const double s6 = std::pow(sigma_nm / d, 6);
  return 4 * epsilon_kj_mol * s6 * (s6 - 1);
}

// 1/f of generalised Born, at fixed radii.
double inverse_f(double radius_i, double radius_j, double d) {
  const double product = radius_i * radius_j;
  return 1 / std::sqrt(d * d + product * std::exp(-d * d / (4 * product)));
}

double bonded(const PlacementRow& row, std::span<const double> x) {
  return harmonic_bond_reference(row.terms, x, {}) + harmonic_angle_reference(row.terms, x, {}) +
         periodic_torsion_reference(row.terms, x, {});
}

struct PairEnergies {
  double lennard_jones = 0, electrostatic = 0;  // kJ/mol
};

// Of the atom of row m with all of earlier rows.
PairEnergies pairs(const PlacementRows& all, std::size_t m, std::span<const double> x) {
  const System& system = all.system;
  const int atom = all.rows[m].tree.atom;
  const auto distance = [&](int i, int j) {
    return std::max(norm(at(x, i) - at(x, j)), kPlacementNearest);  // of NaN, NaN
  };
  const double shift = system.cutoff_nm > 0 ? 1 / system.cutoff_nm : 0;
  const double tau =
      kCoulomb * (1 / system.born.solute_dielectric - 1 / system.born.solvent_dielectric);
  PairEnergies energy;
  for (std::size_t earlier = 0; earlier < m; ++earlier) {
    const int placed = all.rows[earlier].tree.atom;
    const double d = distance(placed, atom);
    if (system.cutoff_nm > 0 && d > system.cutoff_nm) continue;
    const auto i = static_cast<std::size_t>(placed), j = static_cast<std::size_t>(atom);
    const Nonbonded &a = system.nonbonded[i], &b = system.nonbonded[j];
    const double charges = a.charge_e * b.charge_e;
    const std::pair<int, int> pair = std::minmax(placed, atom);
    if (!std::ranges::binary_search(system.exclusions, pair)) {
      energy.lennard_jones += lennard_jones((a.sigma_nm + b.sigma_nm) / 2,
                                            std::sqrt(a.epsilon_kj_mol * b.epsilon_kj_mol), d);
      energy.electrostatic += kCoulomb * charges * (1 / d - shift);
    }
    if (all.born_radii_nm.empty()) continue;
    energy.electrostatic -=
        tau * charges * (inverse_f(all.born_radii_nm[i], all.born_radii_nm[j], d) - shift);
  }
  for (const ScaledPair& p : all.rows[m].terms.scaled_pairs) {
    const double d = distance(p.i, p.j);
    energy.lennard_jones += lennard_jones(p.sigma_nm, p.epsilon_kj_mol, d);
    energy.electrostatic += kCoulomb * p.charge_product_e2 / d;
  }
  return energy;
}

}  // namespace

void Placement::reference(int coordinate, std::span<const double> positions_nm, double r,
                          double theta, std::span<double> u) const {
  const std::size_t m = row_of(coordinate, positions_nm.size(), u.size());
  const PlacementRow& row = rows_->rows[m];
  const DihedralCircle circle = dihedral_circle(row.tree, positions_nm, r, theta);
  std::vector<double> x(positions_nm.begin(), positions_nm.end());
  for (std::int64_t v = 0; v < rows_->bins; ++v) {
    set_position(x, row.tree.atom, circle.at(row.middle(v)));
    const PairEnergies of_pairs = pairs(*rows_, m, x);
    const std::array<double, kPlacementComponents> energy = {bonded(row, x), of_pairs.lennard_jones,
                                                             of_pairs.electrostatic};
    for (std::int64_t c = 0; c < kPlacementComponents; ++c) {
      u[static_cast<std::size_t>(c * rows_->bins + v)] =
          energy[static_cast<std::size_t>(c)] / rows_->thermal_energy_kj_mol;
    }
  }
}

}  // namespace arbg::md
