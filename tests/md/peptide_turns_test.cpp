// Half turns about peptide bonds: which bonds and atoms; the ensemble that they leave invariant.
#include "md/dynamics/peptide_turns.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "md/dynamics/builder.h"
#include "md/dynamics/dynamics.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/units.h"
#include "md/molecule/vector3.h"
#include "tests/backends.h"
#include "tests/md/small_simulation.h"

namespace arbg::md {

namespace {

std::vector<std::string> bonds_of(const Topology& topology) {
  std::vector<std::string> out;
  for (const auto& t : peptide_turns(topology))
    out.push_back(topology.describe(t.from) + " - " + topology.describe(t.to) + " " +
                  std::to_string(t.moved.size()));
  return out;
}

double dihedral_of(std::span<const double> x, int a, int b, int c, int d) {
  return dihedral(at(x, a), at(x, b), at(x, c), at(x, d));
}

// A peptide bond of four heavy atoms, with one on each side and no more: cis lies 1.5 RT above
// trans at 300 K, and 80 kJ/mol between them.
struct OneBond {
  Topology topology;
  System system;
  OneBond() {
    topology.residues = {{"ONE", 1, 0, 2}, {"TWO", 2, 2, 2}};
    topology.atoms = {{"CA", "C", 0}, {"C", "C", 0}, {"N", "N", 1}, {"CA", "C", 1}};
    topology.bonds = {{0, 1}, {1, 2}, {2, 3}};
    system.mass_amu.assign(4, 12);
    system.nonbonded.assign(4, {0, 0.3, 0});
    for (int i = 0; i < 3; ++i) system.bonds.push_back({i, i + 1, 0.15, 1e5});
    for (int i = 0; i < 2; ++i) system.angles.push_back({i, i + 1, i + 2, 1.9, 500});
    system.torsions = {{0, 1, 2, 3, 2, std::numbers::pi, 40},
                       {0, 1, 2, 3, 1, 0, 0.75 * thermal_energy(300)}};
  }
  std::vector<double> trans() const { return {0, 0.14, 0, 0.05, 0, 0, 0.2, 0, 0, 0.25, -0.14, 0}; }
};

// Of the torsion's density exp(-V/RT), the share within a right angle of 0.
double exact_cis_share(double temperature_kelvin) {
  const double thermal = thermal_energy(temperature_kelvin), step = 0.75 * thermal_energy(300);
  double cis = 0, all = 0;
  for (int i = 0; i < 3600; ++i) {
    const double phi = (i + 0.5) * 2 * std::numbers::pi / 3600;
    const double v = (40 * (1 - std::cos(2 * phi)) + step * std::cos(phi)) / thermal;
    all += std::exp(-v);
    if (std::cos(phi) > 0) cis += std::exp(-v);
  }
  return cis / all;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("peptide bonds turn, caps and proline among them, by the smaller side") {
    CHECK(bonds_of(Topology::from_sequence("Ace-A-Nme")) ==
          std::vector<std::string>{"ALA2:N - ACE1:C 5", "ALA2:C - NME3:N 5"});
    const auto with_proline = Topology::from_sequence("APA");
    CHECK(bonds_of(with_proline).size() == 2);
    CHECK(bonds_of(Topology::from_sequence("Ace-A-Nhe")).size() == 1);  // not about the NH2
    auto ring = Topology::from_sequence("AA");
    ring.bonds.emplace_back(ring.find(0, "N"), ring.find(1, "C"));
    std::ranges::sort(ring.bonds);
    CHECK(bonds_of(ring).empty());
  }

  TEST_CASE("a turn keeps every distance on either side, makes cis of trans, and undoes itself") {
    const auto topology = Topology::from_sequence("APA");
    const auto system = ForceField::named("amber14-obc1").create_system(topology);
    const auto start = build_structure(topology, system);
    for (const auto& one : peptide_turns(topology)) {
      auto x = start;
      turn(one, x);
      const int c = std::min(one.from, one.to), n = std::max(one.from, one.to);
      const int r = topology.atoms[static_cast<std::size_t>(c)].residue;
      const auto omega = [&](std::span<const double> at_) {
        return dihedral_of(at_, topology.find(r, "CA"), c, n, topology.find(r + 1, "CA"));
      };
      CHECK(std::abs(std::remainder(omega(x) - omega(start) - std::numbers::pi,
                                    2 * std::numbers::pi)) < 1e-9);
      for (const auto& [i, j] : topology.bonds)
        CHECK(norm(at(x, i) - at(x, j)) ==
              doctest::Approx(norm(at(start, i) - at(start, j))).epsilon(1e-12));
      for (const auto& a : system.angles)
        CHECK(angle(at(x, a.i), at(x, a.j), at(x, a.k)) ==
              doctest::Approx(angle(at(start, a.i), at(start, a.j), at(start, a.k))).epsilon(1e-9));
      turn(one, x);
      for (std::size_t i = 0; i < x.size(); ++i) CHECK(x[i] == doctest::Approx(start[i]).scale(1));
    }
  }

  TEST_CASE(
      "with turns a barrier of 80 kJ/mol divides no more than the exact share, at every "
      "temperature") {
    const OneBond molecule;
    const auto turns = peptide_turns(molecule.topology);
    REQUIRE(turns.size() == 1);
    for (const Backend backend : backends_here()) {
      DynamicsOptions options;
      options.temperatures_kelvin.assign(32, 300.0);
      for (std::size_t r = 1; r < 32; r += 2) options.temperatures_kelvin[r] = 600;
      options.backend = backend;
      Dynamics dynamics(molecule.system, options, molecule.trans());
      std::map<double, int> all, cis;  // by temperature
      for (int round = 0; round < 600; ++round) {
        dynamics.run(20);
        CHECK(dynamics.try_turns({}) == 0);
        dynamics.try_turns(turns);
        const auto x = dynamics.state().positions_nm;
        for (std::size_t r = 0; r < 32; ++r) {
          const double torsion = dihedral_of(std::span(x).subspan(12 * r, 12), 0, 1, 2, 3);
          ++all[options.temperatures_kelvin[r]];
          cis[options.temperatures_kelvin[r]] += std::abs(torsion) < std::numbers::pi / 2;
        }
      }
      // 16 chains a temperature, which a turn is accepted in every third try or so: at least some
      // 1,000 draws.
      for (const auto& [kelvin, count] : all) {
        CAPTURE(kelvin);
        CHECK(std::abs(cis[kelvin] / static_cast<double>(count) - exact_cis_share(kelvin)) < 0.04);
      }
      CHECK(exact_cis_share(600) > exact_cis_share(300) + 0.1);
    }
  }

  TEST_CASE("a run with turns that was stopped goes on to the same files, and says how many") {
    Run straight("straight"), stopped("stopped");
    for (Run* run : {&straight, &stopped}) {
      run->options.turn_interval = 10;
      run->options.top_temperature_kelvin = 1500;  // so that some turns are accepted
    }
    const auto whole = straight.go();
    stopped.options.steps = 600;
    stopped.go();
    stopped.options.steps = 1200;
    const auto rest = stopped.go();
    check_same_files(straight, stopped);
    CHECK(whole.turn_acceptance == rest.turn_acceptance);
    REQUIRE(whole.turn_acceptance.has_value());
    CHECK(*whole.turn_acceptance > 0);
    CHECK(*whole.turn_acceptance < 0.2);
    CHECK(read_file(straight.folder / "run.json").find("\"turn_interval\": 10") !=
          std::string::npos);
    stopped.options.turn_interval = 0;
    CHECK_THROWS_AS(stopped.go(), Error);
  }
}

}  // namespace arbg::md
