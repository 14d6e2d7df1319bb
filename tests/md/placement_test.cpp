// Energies of one atom against those placed before it: the reference against differences of the
// reference force field, the lanes against the reference.
#include "md/placement/placement.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "md/energy/engine.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/restricted_system.h"
#include "md/molecule/units.h"
#include "md/molecule/vector3.h"
#include "tests/md/error_message.h"
#include "tests/md/map_testing.h"

namespace arbg::md {

namespace {

constexpr double kTemperature = 310;
const double kRT = thermal_energy(kTemperature);

struct Peptide {
  const char* force_field;
  const char* sequence;
  std::vector<ResidueState> states = {};
  std::vector<std::pair<int, int>> disulfides = {};
};

// Both force fields, every ring (Pro, His, Phe, Tyr, Trp), a disulfide bond, charged states, ends
// and caps.
const std::vector<Peptide>& peptides() {
  static const std::vector<Peptide> all = {
      {"amber99sbildn-obc2", "Ace-A-Nme"},
      {"amber99sbildn-obc2", "Ace-AAA-Nme"},
      {"amber14-obc1", "AAA"},
      {"amber14-obc1", "AAAAAA"},
      {"amber14-obc1", "GYDPETGTWG"},
      {"amber99sbildn-obc2", "GYDPETGTWG"},
      {"amber99sbildn-obc2", "Ace-PHWFY-Nme", {{"HIS", 3, "HIP"}}},
      {"amber99sbildn-obc2", "CGGC", {}, {{1, 4}}},
      {"amber14-obc1", "Ace-HC-Nhe", {{"HIS", 2, "HIP"}}},
  };
  return all;
}

// A molecule with a conformation: the ideal one, its bonds, angles and phases shaken, its free
// dihedrals anywhere.
struct Conformation {
  Topology topology;
  System system;
  std::unique_ptr<CoordinateMap> map;
  std::vector<double> z, positions, born_radii;

  explicit Conformation(const Peptide& peptide) {
    topology = Topology::from_sequence(peptide.sequence, peptide.states, peptide.disulfides);
    system = ForceField::named(peptide.force_field).create_system(topology);
    map = make_internal_map(topology, system, kTemperature);
    z = encode(*map, ideal_geometry(topology, system));
    const Random random(5, stream_id("shake"));
    for (std::size_t j = 0; j < z.size(); ++j) {
      const Coordinate& c = map->coordinates()[j];
      const double size = c.kind == 0 ? 0.004 : c.kind == 1 ? 0.06 : c.periodic ? 2.0 : 0.2;
      z[j] += size * random.normal_pair(j)[0];
    }
    positions = decode(*map, z);
    born_radii = placement_born_radii(topology, system);
  }

  std::vector<int> curves() const {
    std::vector<int> dihedrals;
    for (int j = 0; j < map->size(); ++j) {
      if (map->coordinates()[static_cast<std::size_t>(j)].kind == 2) dihedrals.push_back(j);
    }
    return dihedrals;
  }
  double r(int dihedral) const { return z[static_cast<std::size_t>(dihedral) - 2]; }
  double theta(int dihedral) const { return z[static_cast<std::size_t>(dihedral) - 1]; }
};

std::vector<double> reference_curve(const Placement& placement, const Conformation& c, int j) {
  std::vector<double> u(static_cast<std::size_t>(kPlacementComponents * placement.bins()));
  placement.reference(j, c.positions, c.r(j), c.theta(j), u);
  return u;
}

std::vector<float> lanes_curve(const Placement& placement, const Conformation& c, int j) {
  std::vector<float> u(static_cast<std::size_t>(kPlacementComponents * placement.bins()));
  placement.lanes(j, c.positions, c.r(j), c.theta(j), u);
  return u;
}

// Without charges, or without sizes.
System without(System system, bool charges) {
  for (Nonbonded& n : system.nonbonded) (charges ? n.charge_e : n.epsilon_kj_mol) = 0;
  for (ScaledPair& p : system.scaled_pairs) (charges ? p.charge_product_e2 : p.epsilon_kj_mol) = 0;
  return system;
}

// Reference energies of the first `atoms` atoms of a conformation, without solvent: bonded and
// nonbonded, over RT.
std::array<double, 2> energy_of_first(const Conformation& c, const System& system,
                                      std::span<const double> x, int atoms) {
  const std::vector<int> order = c.map->atom_order();
  const std::span<const int> first = std::span(order).first(static_cast<std::size_t>(atoms));
  std::vector<double> part;
  for (const int atom : first) {
    const Vector3 at_x = at(x, atom);
    part.insert(part.end(), {at_x.x, at_x.y, at_x.z});
  }
  const auto terms = EnergyEngine(restricted(system, first), Backend::reference)
                         .evaluate(part, false)
                         .terms_kj_mol;
  return {(terms[0] + terms[1] + terms[2]) / kRT, terms[3] / kRT};
}

// The generalised Born energy of an atom with those placed before it, over RT, at fixed radii.
double solvent_of_last(const Conformation& c, std::span<const double> x, int before) {
  const std::vector<int> order = c.map->atom_order();
  const auto last = static_cast<std::size_t>(order[static_cast<std::size_t>(before)]);
  const double tau =
      kCoulomb * (1 / c.system.born.solute_dielectric - 1 / c.system.born.solvent_dielectric);
  const double cutoff = c.system.cutoff_nm;
  double energy = 0;
  for (int k = 0; k < before; ++k) {
    const auto i = static_cast<std::size_t>(order[static_cast<std::size_t>(k)]);
    const double d = norm(at(x, static_cast<int>(i)) - at(x, static_cast<int>(last)));
    const double radii = c.born_radii[i] * c.born_radii[last];
    const double f = std::sqrt(d * d + radii * std::exp(-d * d / (4 * radii)));
    const double shift = cutoff > 0 ? 1 / cutoff : 0;
    if (cutoff > 0 && d > cutoff) continue;
    energy -=
        tau * c.system.nonbonded[i].charge_e * c.system.nonbonded[last].charge_e * (1 / f - shift);
  }
  return energy / kRT;
}

// |found - (with - without)| relative to the numbers that are subtracted.
void check_difference(double found, double with, double before) {
  CHECK(std::abs(found - (with - before)) <= 1e-10 * (1 + std::abs(with) + std::abs(before)));
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("a curve is the difference that the atom makes to the energy of the atoms placed") {
    constexpr std::int64_t kBins = 5;
    for (const Peptide& peptide : peptides()) {
      CAPTURE(std::string(peptide.sequence));
      const Conformation c(peptide);
      const System sizes = without(c.system, true), charges = without(c.system, false);
      const Placement vacuum(c.system, *c.map, kTemperature, kBins, {});
      const Placement solvent(c.system, *c.map, kTemperature, kBins, c.born_radii);
      for (const int j : c.curves()) {
        CAPTURE(j);
        const Coordinate& dihedral = c.map->coordinates()[static_cast<std::size_t>(j)];
        const auto u = reference_curve(vacuum, c, j), wet = reference_curve(solvent, c, j);
        const auto bonded = energy_of_first(c, c.system, c.positions, dihedral.order)[0];
        const auto of_sizes = energy_of_first(c, sizes, c.positions, dihedral.order)[1];
        const auto of_charges = energy_of_first(c, charges, c.positions, dihedral.order)[1];
        for (std::size_t v = 0; v < kBins; ++v) {
          auto z = c.z;
          z[static_cast<std::size_t>(j)] = dihedral.low + (static_cast<double>(v) + 0.5) *
                                                              (dihedral.high - dihedral.low) /
                                                              kBins;
          const auto x = decode(*c.map, z);
          check_difference(u[v], energy_of_first(c, c.system, x, dihedral.order + 1)[0], bonded);
          check_difference(u[kBins + v], energy_of_first(c, sizes, x, dihedral.order + 1)[1],
                           of_sizes);
          check_difference(u[2 * kBins + v], energy_of_first(c, charges, x, dihedral.order + 1)[1],
                           of_charges);
          check_difference(wet[2 * kBins + v], u[2 * kBins + v],
                           -solvent_of_last(c, x, dihedral.order));
          CHECK(wet[v] == u[v]);
          CHECK(wet[kBins + v] == u[kBins + v]);
        }
      }
    }
  }

  TEST_CASE("the lanes equal the reference up to the rounding of float32") {
    for (const Peptide& peptide : peptides()) {
      CAPTURE(std::string(peptide.sequence));
      const Conformation c(peptide);
      for (const auto& radii : {c.born_radii, std::vector<double>{}}) {
        const Placement placement(c.system, *c.map, kTemperature, 70, radii);
        for (const int j : c.curves()) {
          CAPTURE(j);
          const auto truth = reference_curve(placement, c, j);
          const auto found = lanes_curve(placement, c, j);
          for (std::size_t i = 0; i < truth.size(); ++i) {
            CAPTURE(i);
            const double error = std::abs(static_cast<double>(found[i]) - truth[i]);
            const double share = std::abs(truth[i]) < 1e8 ? 1e-5 : 1e-4;  // overlaps
            CHECK(error <= 2e-4 + share * std::abs(truth[i]));
          }
        }
      }
    }
  }
}

}  // namespace arbg::md
