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

  // Coordinates of a kind: 1 for angles before phases, 2 for dihedrals.
  std::vector<int> curves(int kind) const {
    std::vector<int> found;
    const auto& all = map->coordinates();
    for (std::size_t j = 3; j < all.size(); ++j) {
      if (all[j].kind != kind || (kind == 1 && all[j + 1].periodic)) continue;
      found.push_back(static_cast<int>(j));
    }
    return found;
  }
  // The coordinates of the same atom that come before.
  std::span<const double> own(int j) const {
    const auto at = static_cast<std::size_t>(j);
    return std::span(z).subspan(at / 3 * 3, at % 3);
  }
};

std::vector<double> reference_curve(const Placement& placement, const Conformation& c, int j) {
  std::vector<double> u(static_cast<std::size_t>(kPlacementComponents * placement.bins()));
  placement.reference(j, c.positions, c.own(j), u);
  return u;
}

std::vector<float> lanes_curve(const Placement& placement, const Conformation& c, int j) {
  std::vector<float> u(static_cast<std::size_t>(kPlacementComponents * placement.bins()));
  placement.lanes(j, c.positions, c.own(j), u);
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

// Whether the atom of coordinate j has bonds to two atoms before it.
bool closes_a_ring(const Conformation& c, int j) {
  const auto order = c.map->atom_order();
  const auto m = c.map->coordinates()[static_cast<std::size_t>(j)].order;
  const auto is_before = [&](int atom) {
    return std::find(order.begin(), order.begin() + m, atom) != order.begin() + m;
  };
  const int own = order[static_cast<std::size_t>(m)];
  return std::ranges::count_if(c.system.bonds, [&](const HarmonicBond& b) {
           return (b.i == own && is_before(b.j)) || (b.j == own && is_before(b.i));
         }) > 1;
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
      for (const int j : c.curves(2)) {
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

  TEST_CASE("the curve of an angle is the bonded energy summed over phases") {
    for (const Peptide& peptide : peptides()) {
      CAPTURE(std::string(peptide.sequence));
      const Conformation c(peptide);
      constexpr std::int64_t kBins = 5;  // each is known, none interpolated
      const Placement placement(c.system, *c.map, kTemperature, kBins, c.born_radii);
      CHECK(!c.curves(1).empty());
      for (const int j : c.curves(1)) {
        CAPTURE(j);
        const Coordinate& angle = c.map->coordinates()[static_cast<std::size_t>(j)];
        const Coordinate& phase = c.map->coordinates()[static_cast<std::size_t>(j) + 1];
        const double before = energy_of_first(c, c.system, c.positions, angle.order)[0];
        const auto u = reference_curve(placement, c, j);
        for (std::size_t v = 0; v < kBins; ++v) {
          const auto middle = [](const Coordinate& of, double place, double parts) {
            return of.low + (place + 0.5) * (of.high - of.low) / parts;
          };
          auto z = c.z;
          z[static_cast<std::size_t>(j)] = middle(angle, static_cast<double>(v), kBins);
          std::vector<double> energies;
          for (int k = 0; k < kPlacementPhases; ++k) {
            z[static_cast<std::size_t>(j) + 1] = middle(phase, k, kPlacementPhases);
            energies.push_back(energy_of_first(c, c.system, decode(*c.map, z), angle.order + 1)[0]);
          }
          const double least = std::ranges::min(energies);
          double sum = 0;
          for (const double e : energies) sum += std::exp(least - e);
          check_difference(u[v], least - std::log(sum), before);
          CHECK(u[kBins + v] == 0);
          CHECK(u[2 * kBins + v] == 0);
        }
      }
    }
  }

  TEST_CASE("the curve of an angle goes through its known values, and is smooth between them") {
    const Conformation c(peptides().front());
    constexpr std::int64_t kGroup = 5, kBins = kGroup * kPlacementGroups;
    const Placement few(c.system, *c.map, kTemperature, kPlacementGroups, {});
    const Placement many(c.system, *c.map, kTemperature, kBins, {});
    const Placement every(c.system, *c.map, kTemperature, kBins + 1, {});
    for (const int j : c.curves(1)) {
      const auto known = reference_curve(few, c, j), fine = reference_curve(many, c, j),
                 direct = reference_curve(every, c, j);
      for (std::size_t g = 0; g < kPlacementGroups; ++g)
        CHECK(fine[g * kGroup + kGroup / 2] == doctest::Approx(known[g]).epsilon(1e-12));
      // Bins of another width have their middles elsewhere; near the least they agree.
      const auto least = [](const std::vector<double>& u, std::size_t bins) {
        return *std::min_element(u.begin(), u.begin() + static_cast<std::ptrdiff_t>(bins));
      };
      CHECK(least(fine, kBins) == doctest::Approx(least(direct, kBins + 1)).epsilon(0.02));
    }
  }

  TEST_CASE("the lanes equal the reference up to the rounding of float32") {
    for (const Peptide& peptide : peptides()) {
      CAPTURE(std::string(peptide.sequence));
      const Conformation c(peptide);
      for (const auto& radii : {c.born_radii, std::vector<double>{}}) {
        for (const std::int64_t bins : {70, 256}) {
          const Placement placement(c.system, *c.map, kTemperature, bins, radii);
          for (const int kind : {1, 2}) {
            for (const int j : c.curves(kind)) {
              CAPTURE(j);
              auto truth = reference_curve(placement, c, j);
              auto found = lanes_curve(placement, c, j);
              // Of overlapping atoms, and of a bond that closes a ring, what counts is a small
              // difference of large numbers.
              double floor = 0;
              const auto size = static_cast<std::size_t>(bins);
              for (std::size_t first = 0; first < truth.size(); first += size)
                floor = std::max(floor, std::abs(std::ranges::min(std::span(truth).subspan(first, size))));
              shift_and_cap(truth);
              shift_and_cap(found);
              double worst = 0;
              for (std::size_t i = 0; i < truth.size(); ++i)
                worst = std::max(worst, std::abs(static_cast<double>(found[i]) - truth[i]));
              CHECK(worst <= (closes_a_ring(c, j) ? 0.1 : 1e-3 + 2e-6 * floor));
            }
          }
        }
      }
    }
  }

  TEST_CASE("atoms that are not placed yet never matter") {
    const Peptide peptide{"amber14-obc1", "AP"};
    const Conformation c(peptide);
    Conformation hidden(peptide);
    const Placement placement(c.system, *c.map, kTemperature, 256, c.born_radii);
    const auto order = c.map->atom_order();
    for (const int kind : {1, 2}) {
      for (const int j : c.curves(kind)) {
        hidden.positions = c.positions;
        const auto first = c.map->coordinates()[static_cast<std::size_t>(j)].order;
        for (auto m = static_cast<std::size_t>(first); m < order.size(); ++m)
          set_position(hidden.positions, order[m], {NAN, NAN, NAN});
        CHECK(reference_curve(placement, hidden, j) == reference_curve(placement, c, j));
        CHECK(lanes_curve(placement, hidden, j) == lanes_curve(placement, c, j));
      }
    }
  }

  TEST_CASE("a NaN among the placed atoms gives NaN, wrong arguments are refused in words") {
    Conformation c({"amber14-obc1", "AA"});
    const Placement placement(c.system, *c.map, kTemperature, 16, c.born_radii);
    const int j = c.curves(2).back();
    std::vector<double> u(48), few(47);
    CHECK(error_message([&] { placement.reference(4, c.positions, c.own(4), u); }).find("angle") !=
          std::string::npos);
    CHECK(error_message([&] { placement.reference(j, c.positions, c.own(j), few); })
              .find("room for 48") != std::string::npos);
    CHECK(error_message([&] { placement.reference(j, c.positions, c.own(j).first(1), u); }) != "");
    const auto cartesian = make_cartesian_map(c.system.atom_count(), 0.1, 3);
    CHECK(error_message([&] { Placement(c.system, *cartesian, kTemperature, 16, {}); })
              .find("need internal coordinates") != std::string::npos);
    set_position(c.positions, c.map->atom_order().front(), {NAN, 0, 0});
    // Bonded terms end before the first atom; pairs do not.
    const auto plain = reference_curve(placement, c, j);
    const auto found = lanes_curve(placement, c, j);
    for (std::size_t v = 0; v < 48; ++v) {
      CHECK(std::isnan(plain[v]) == (v >= 16));
      CHECK(std::isnan(found[v]) == (v >= 16));
    }
  }
}

}  // namespace arbg::md
