// Energy against closed forms, its own differences, and the symmetries of space: of the reference,
// in double, with which other backends are compared (lane_energy_test, energy_golden_test).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "md/energy/engine.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/units.h"
#include "md/terms/generalised_born.h"
#include "tensor/base/npy.h"
#include "tensor/base/random.h"
#include "tests/backends.h"
#include "tests/md/error_message.h"

namespace arbg::md {

namespace {

constexpr double kPi = std::numbers::pi;

System alanine_dipeptide() {
  return ForceField::named("amber99sbildn-obc2")
      .create_system(Topology::from_sequence("Ace-A-Nme"));
}

// One thermal conformation [22, 3].
std::vector<double> thermal_conformation(std::size_t index) {
  const Array<double> all =
      read_npy(ARBG_GOLDEN_DIR "/energies/amber99sbildn-obc2/Ace-A-Nme/positions.npy");
  return {all.data.begin() + static_cast<std::ptrdiff_t>(66 * index),
          all.data.begin() + static_cast<std::ptrdiff_t>(66 * (index + 1))};
}

// N atoms without any term, charge, Lennard-Jones or solvent.
System bare_system(std::size_t atoms) {
  System system;
  system.mass_amu.assign(atoms, 12);
  system.nonbonded.assign(atoms, {0, 0.3, 0});
  return system;
}

double energy_of(const System& system, const std::vector<double>& positions) {
  return EnergyEngine(system, Backend::reference).evaluate(positions, false).energy_kj_mol.at(0);
}

void check_forces(const System& system, std::vector<double> x) {
  const EnergyEngine energy(system, Backend::reference);
  const std::vector<double> forces = energy.evaluate(x, true).forces_kj_mol_nm;
  double largest = 0;
  for (const double f : forces) largest = std::max(largest, std::abs(f));
  const double h = 1e-5;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double middle = x[i];
    x[i] = middle + h;
    const double above = energy_of(system, x);
    x[i] = middle - h;
    const double below = energy_of(system, x);
    x[i] = middle;
    CAPTURE(i);
    CHECK(std::abs(forces[i] + (above - below) / (2 * h)) <= 1e-6 * largest);
  }
}

// Born's descreening integral by Simpson's rule: the share of each shell around the atom that lies
// in the other sphere.
double integrate_descreening(double r, double rho, double s) {
  const auto share = [&](double d) {
    return d < s - r ? 1 : (s * s - (r - d) * (r - d)) / (4 * r * d);
  };
  const double from = std::max(rho, r - s), to = r + s;
  if (from >= to) return 0;
  double inner = 0, lower = from;  // the part where whole shells lie inside has a kink at its end
  if (s - r > from) {
    inner = 1 / from - 1 / (s - r);
    lower = s - r;
  }
  const int steps = 2000;
  const double h = (to - lower) / steps;
  double sum = 0;
  for (int i = 0; i <= steps; ++i) {
    const double d = lower + h * i;
    sum += (i == 0 || i == steps ? 1 : i % 2 ? 4 : 2) * share(std::max(d, s - r + 1e-15)) / (d * d);
  }
  return inner + sum * h / 3;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("a bond is a spring") {
    System system = bare_system(2);
    system.bonds = {{0, 1, 0.1, 1000}};
    CHECK(energy_of(system, {0, 0, 0, 0, 0.12, 0}) == doctest::Approx(500 * 0.02 * 0.02));
  }

  TEST_CASE("an angle is a spring") {
    System system = bare_system(3);
    system.angles = {{0, 1, 2, 2.0, 400}};
    CHECK(energy_of(system, {0.1, 0, 0, 0, 0, 0, 0, 0.2, 0}) ==
          doctest::Approx(200 * std::pow(kPi / 2 - 2, 2)));
    const std::vector<double> in_line = {0.1, 0, 0, 0, 0, 0, -0.2, 0, 0};
    CHECK(energy_of(system, in_line) == doctest::Approx(200 * std::pow(kPi - 2, 2)));
    for (const double f :
         EnergyEngine(system, Backend::reference).evaluate(in_line, true).forces_kj_mol_nm) {
      CHECK(std::isfinite(f));
    }
  }

  TEST_CASE("a torsion follows its cosine, with the sign of IUPAC") {
    System system = bare_system(4);
    system.torsions = {{0, 1, 2, 3, 3, 0.4, 5}};
    for (const double phi : {-3.0, -1.2, 0.0, 0.7, 2.5}) {
      // Looking along z, from j to k, the turn from x to y is clockwise.
      const std::vector<double> x = {
          0.1, 0, 0, 0, 0, 0, 0, 0, 0.15, 0.1 * std::cos(phi), 0.1 * std::sin(phi), 0.2};
      CHECK(energy_of(system, x) == doctest::Approx(5 * (1 + std::cos(3 * phi - 0.4))));
    }
  }

  TEST_CASE("a pair has its Lennard-Jones and Coulomb energy, shifted and cut at the cutoff") {
    System system = bare_system(2);
    system.nonbonded = {{0.5, 0.3, 0.4}, {-0.7, 0.4, 0.9}};
    const auto expected = [](double r, double shift) {
      const double s6 = std::pow(0.35 / r, 6);
      return 4 * 0.6 * (s6 * s6 - s6) - 0.35 * kCoulomb * (1 / r - shift);
    };
    CHECK(energy_of(system, {0, 0, 0, 0, 0, 0.4}) == doctest::Approx(expected(0.4, 0)));
    CHECK(energy_of(system, {0, 0, 0, 0, 0, 9.0}) == doctest::Approx(expected(9.0, 0)));
    system.cutoff_nm = 2;
    CHECK(energy_of(system, {0, 0, 0, 0, 0, 0.4}) == doctest::Approx(expected(0.4, 0.5)));
    CHECK(energy_of(system, {0, 0, 0, 0, 0, 2.01}) == 0);
    system.exclusions = {{0, 1}};
    CHECK(energy_of(system, {0, 0, 0, 0, 0, 0.4}) == 0);
  }

  TEST_CASE("a 1-4 pair is neither shifted nor cut") {
    System system = bare_system(2);
    system.exclusions = {{0, 1}};
    system.scaled_pairs = {{0, 1, -0.3, 0.35, 0.6}};
    system.cutoff_nm = 2;
    for (const double r : {0.4, 2.5}) {
      const double s6 = std::pow(0.35 / r, 6);
      const double expected = 4 * 0.6 * (s6 * s6 - s6) - 0.3 * kCoulomb / r;
      CHECK(energy_of(system, {0, 0, 0, 0, 0, r}) == doctest::Approx(expected));
    }
  }

  TEST_CASE("a lone ion has Born's energy and its surface") {
    System system = bare_system(1);
    system.nonbonded[0].charge_e = 2;
    system.born_atoms = {{0.2, 0.8}};
    const double rho = 0.2 - 0.009, tau = kCoulomb * (1 - 1 / 78.3);
    const double surface = 28.3919551 * 0.34 * 0.34 * std::pow(0.2 / rho, 6);
    CHECK(energy_of(system, {1, 2, 3}) == doctest::Approx(-tau * 4 / (2 * rho) + surface));
  }

  TEST_CASE(
      "Born radii are the integral over the other sphere, also where spheres overlap or swallow "
      "each other") {
    System system = bare_system(2);
    for (const double r : {0.01, 0.03, 0.07, 0.15, 0.3, 1.5}) {
      for (const double radius : {0.06, 0.12, 0.3}) {
        system.born_atoms = {{radius, 0.8}, {0.18, 0.7}};
        const double rho = radius - 0.009, s = 0.7 * (0.18 - 0.009);
        const double psi = rho * integrate_descreening(r, rho, s);
        const double b =
            1 / (1 / rho - std::tanh(psi - 0.8 * psi * psi + 4.85 * psi * psi * psi) / radius);
        CAPTURE(r);
        CAPTURE(radius);
        CHECK(born_radii_reference(system, std::vector<double>{0, 0, 0, r, 0, 0})[0] ==
              doctest::Approx(b).epsilon(1e-6));
      }
    }
  }

  TEST_CASE("without descreening inside, shells that lie wholly in the other sphere do not count") {
    System system = bare_system(2);
    system.born.descreens_inside = false;
    const double s = 0.7 * (0.18 - 0.009);
    for (const double r : {0.01, 0.03, 0.06, 0.1}) {
      system.born_atoms = {{0.06, 0.8}, {0.18, 0.7}};
      const double rho = 0.06 - 0.009;
      const double psi = rho * integrate_descreening(r, std::max(rho, s - r), s);
      const double b =
          1 / (1 / rho - std::tanh(psi - 0.8 * psi * psi + 4.85 * psi * psi * psi) / 0.06);
      CAPTURE(r);
      CHECK(born_radii_reference(system, std::vector<double>{0, 0, 0, r, 0, 0})[0] ==
            doctest::Approx(b).epsilon(1e-6));
    }
  }

  TEST_CASE("forces match energy differences where an atom lies inside another's sphere") {
    System system = bare_system(2);
    system.nonbonded = {{0.4, 0.3, 0}, {-0.3, 0.3, 0}};
    system.exclusions = {{0, 1}};
    system.born_atoms = {{0.06, 0.8}, {0.18, 0.7}};
    for (const bool inside : {true, false}) {
      system.born.descreens_inside = inside;
      check_forces(system, {0, 0, 0, 0.03, 0.02, 0.01});
    }
  }

  TEST_CASE("two distant ions in solvent attract as in a dielectric") {
    System system = bare_system(2);
    system.nonbonded = {{1, 0.3, 0}, {-1, 0.3, 0}};
    system.born_atoms = {{0.2, 0.8}, {0.2, 0.8}};
    const auto energy = [&](double r) { return energy_of(system, {0, 0, 0, r, 0, 0}); };
    const double attraction = energy(20) - energy(40);
    CHECK(attraction == doctest::Approx(-kCoulomb / 78.3 * (1.0 / 20 - 1.0 / 40)).epsilon(1e-3));
  }

  TEST_CASE("forces match energy differences") {
    System system = alanine_dipeptide();
    check_forces(system, thermal_conformation(3));
    check_forces(system, thermal_conformation(23));  // distorted by noise
    system.cutoff_nm = 0.52;
    check_forces(system, thermal_conformation(3));
  }

  TEST_CASE("net force and net torque vanish, term by term") {
    const System full = alanine_dipeptide();
    const std::vector<double> x = thermal_conformation(21);
    for (int term = 0; term < kTermCount; ++term) {
      System system = full;
      if (term != 0) system.bonds.clear();
      if (term != 1) system.angles.clear();
      if (term != 2) system.torsions.clear();
      if (term != 3) system.scaled_pairs.clear();
      if (term != 3 && term != 4) system.nonbonded.assign(22, {0, 0.3, 0});
      if (term != 4) system.born_atoms.clear();
      const std::vector<double> f =
          EnergyEngine(system, Backend::reference).evaluate(x, true).forces_kj_mol_nm;
      double force[3] = {}, torque[3] = {}, scale = 0;
      for (std::size_t i = 0; i < f.size(); i += 3) {
        for (std::size_t a = 0; a < 3; ++a) {
          const std::size_t b = (a + 1) % 3, c = (a + 2) % 3;
          force[a] += f[i + a];
          torque[a] += x[i + b] * f[i + c] - x[i + c] * f[i + b];
          scale += std::abs(f[i + a]);
        }
      }
      CAPTURE(kTermNames[term]);
      REQUIRE(scale > 1);
      for (std::size_t a = 0; a < 3; ++a) {
        CHECK(std::abs(force[a]) < 1e-12 * scale);
        CHECK(std::abs(torque[a]) < 1e-12 * scale);
      }
    }
  }

  TEST_CASE("a mirror image has the same energy and mirrored forces") {
    const EnergyEngine energy(alanine_dipeptide(), Backend::reference);
    std::vector<double> x = thermal_conformation(5);
    const EnergyResult original = energy.evaluate(x, true);
    for (double& coordinate : x) coordinate = -coordinate;
    const EnergyResult mirrored = energy.evaluate(x, true);
    CHECK(mirrored.energy_kj_mol[0] == doctest::Approx(original.energy_kj_mol[0]).epsilon(1e-13));
    for (std::size_t i = 0; i < x.size(); ++i) {
      CHECK(mirrored.forces_kj_mol_nm[i] == doctest::Approx(-original.forces_kj_mol_nm[i]));
    }
  }

  TEST_CASE("conformations are independent, and NaN stays in its own") {
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      const EnergyEngine energy(alanine_dipeptide(), backend);
      std::vector<double> batch;
      for (const std::size_t index : {1u, 2u, 3u}) {
        const std::vector<double> x = thermal_conformation(index);
        batch.insert(batch.end(), x.begin(), x.end());
      }
      const EnergyResult clean = energy.evaluate(batch, true);
      CHECK(clean.energy_kj_mol[2] ==
            energy.evaluate(thermal_conformation(3), true).energy_kj_mol[0]);
      batch[66 + 10] = std::nan("");
      const EnergyResult dirty = energy.evaluate(batch, true);
      CHECK(dirty.energy_kj_mol[0] == clean.energy_kj_mol[0]);
      CHECK(std::isnan(dirty.energy_kj_mol[1]));
      CHECK(dirty.energy_kj_mol[2] == clean.energy_kj_mol[2]);
      CHECK(std::equal(clean.forces_kj_mol_nm.begin() + 132, clean.forces_kj_mol_nm.end(),
                       dirty.forces_kj_mol_nm.begin() + 132));
    }
  }

  TEST_CASE("the total is the sum of the terms, and forces come only on request") {
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      const EnergyResult result =
          EnergyEngine(alanine_dipeptide(), backend).evaluate(thermal_conformation(4), false);
      double sum = 0;
      for (const double term : result.terms_kj_mol) sum += term;
      CHECK(result.terms_kj_mol.size() == kTermCount);
      CHECK(result.energy_kj_mol[0] == doctest::Approx(sum));
      CHECK(result.forces_kj_mol_nm.empty());
    }
  }

  TEST_CASE("input of the wrong size and systems that contradict themselves are refused") {
    const EnergyEngine energy(alanine_dipeptide(), Backend::reference);
    CHECK(error_message([&] {
            energy.evaluate(std::vector<double>(67), false);
          }).find("found 67") != std::string::npos);
    CHECK(energy.evaluate({}, true).energy_kj_mol.empty());
    System system = bare_system(2);
    system.bonds = {{0, 2, 0.1, 1}};
    CHECK(error_message([&] { EnergyEngine{system}; }).find("outside 0 .. 1") != std::string::npos);
    system = bare_system(2);
    system.exclusions = {{1, 0}};
    CHECK(error_message([&] { EnergyEngine{system}; }).find("(1, 0)") != std::string::npos);
    CHECK(error_message([&] { EnergyEngine{System()}; }) != "");
  }
}

}  // namespace arbg::md
