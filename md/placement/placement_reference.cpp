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
#include "md/placement/placement_terms.h"
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
PairEnergies pairs(const PlacementTerms& all, std::size_t m, std::span<const double> x) {
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

void dihedral_curve_reference(const PlacementTerms& all, std::size_t m,
                              std::span<const double> positions_nm, double r, double theta,
                              std::span<double> u) {
  const PlacementRow& row = all.rows[m];
  const DihedralCircle circle = dihedral_circle(row.tree, positions_nm, r, theta);
  std::vector<double> x(positions_nm.begin(), positions_nm.end());
  for (std::int64_t v = 0; v < all.bins; ++v) {
    set_position(x, row.tree.atom, circle.at(row.phi.middle(v)));
    const PairEnergies of_pairs = pairs(all, m, x);
    const std::array<double, kPlacementComponents> energy = {bonded(row, x), of_pairs.lennard_jones,
                                                             of_pairs.electrostatic};
    for (std::int64_t c = 0; c < kPlacementComponents; ++c) {
      u[static_cast<std::size_t>(c * all.bins + v)] =
          energy[static_cast<std::size_t>(c)] / all.thermal_energy_kj_mol;
    }
  }
}

namespace {

// -log sum over phases of exp(-u_bonded) at one angle.
double summed_over_phases(const PlacementTerms& all, std::size_t m, double r, double theta,
                          std::span<double> x) {
  const PlacementRow& row = all.rows[m];
  const DihedralCircle circle = dihedral_circle(row.tree, x, r, theta);
  std::array<double, kPlacementPhases> reduced;
  for (std::size_t k = 0; k < kPlacementPhases; ++k) {
    set_position(x, row.tree.atom, circle.at(row.phases.middle(static_cast<std::int64_t>(k))));
    reduced[k] = bonded(row, x) / all.thermal_energy_kj_mol;
  }
  const double least = *std::ranges::min_element(reduced);
  double sum = 0;
  for (const double energy : reduced) sum += std::exp(least - energy);
  return least - std::log(sum);
}

}  // namespace

void angle_curve_reference(const PlacementTerms& all, std::size_t m,
                           std::span<const double> positions_nm, double r, std::span<double> u) {
  std::vector<double> x(positions_nm.begin(), positions_nm.end()), known;
  const auto group = bins_in_group(all.bins), beyond = static_cast<std::int64_t>(kMargin);
  for (std::int64_t i = -beyond; i < all.bins / group + beyond; ++i)
    known.push_back(summed_over_phases(all, m, r, all.rows[m].groups.middle(i), x));
  std::ranges::fill(u, 0.0);
  for (std::int64_t v = 0; v < all.bins; ++v) {
    const auto weights = interpolation_weights(place_in_group(v % group, group));
    for (std::size_t k = 0; k < kPoints; ++k)
      u[static_cast<std::size_t>(v)] += weights[k] * known[static_cast<std::size_t>(v / group) + k];
  }
}

}  // namespace arbg::md
