// Energies in lanes against the reference terms.
#include "md/energy/lane_energy.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "md/files/pdb.h"
#include "md/forcefields/forcefield.h"
#include "tensor/base/npy.h"
#include "tensor/base/threads.h"
#include "tests/md/error_message.h"

namespace arbg::md {

namespace {

struct Name {
  std::string force_field, sequence;
};

struct Molecule {
  System system;
  std::vector<double> positions;  // [24, N, 3]

  Molecule(const std::string& force_field, const std::string& sequence) {
    const std::string folder = ARBG_GOLDEN_DIR "/energies/" + force_field + "/" + sequence + "/";
    system =
        ForceField::named(force_field).create_system(read_pdb(folder + sequence + ".pdb").topology);
    positions = read_npy(folder + "positions.npy").data;
  }
  std::size_t size() const { return 3 * system.mass_amu.size(); }
};

double norm(const double* a, const double* b, std::size_t size) {
  double sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

void check_against_reference(const System& system, const std::vector<double>& positions) {
  const EnergyResult expected = EnergyEngine(system, Backend::reference).evaluate(positions, true);
  const EnergyResult found = EnergyEngine(system).evaluate(positions, true);
  REQUIRE(found.terms_kj_mol.size() == expected.terms_kj_mol.size());
  for (std::size_t i = 0; i < expected.terms_kj_mol.size(); ++i) {
    CAPTURE(std::string(kTermNames[i % kTermCount]));
    CAPTURE(i / kTermCount);  // conformation
    const double truth = expected.terms_kj_mol[i];
    CHECK(std::abs(found.terms_kj_mol[i] - truth) <= 1e-10 * (1 + std::abs(truth)));
  }
  const std::size_t size = 3 * system.mass_amu.size();
  const std::vector<double> zero(size);
  for (std::size_t b = 0; b < expected.energy_kj_mol.size(); ++b) {
    CAPTURE(b);
    const double* truth = &expected.forces_kj_mol_nm[b * size];
    CHECK(norm(&found.forces_kj_mol_nm[b * size], truth, size) <=
          1e-10 * (1 + norm(truth, zero.data(), size)));
  }
}

// The largest error of float forces in conformations [first, last), norm over the norm of all
// forces there. The reference sees the same positions, rounded to float.
double worst_float_error(Molecule m, std::size_t first, std::size_t last) {
  for (double& x : m.positions) x = static_cast<double>(static_cast<float>(x));
  const EnergyResult expected =
      EnergyEngine(m.system, Backend::reference).evaluate(m.positions, true);
  const LaneEnergy<float> energy(m.system);
  LaneEnergy<float>::Scratch scratch;
  energy.fit(scratch);
  const std::size_t atoms = m.system.mass_amu.size();
  std::vector<LaneVector<float>> x(atoms), force(atoms);
  const std::vector<double> zero(m.size());
  double worst = 0;
  for (std::size_t b = first; b < last; ++b) {
    const std::size_t lane = b % kLaneCount<float>;
    for (std::size_t a = 0; a < atoms; ++a) {
      const double* from = &m.positions[b * m.size() + 3 * a];
      x[a] = {broadcast(static_cast<float>(from[0])), broadcast(static_cast<float>(from[1])),
              broadcast(static_cast<float>(from[2]))};
    }
    energy.evaluate(x.data(), force.data(), scratch);
    std::vector<double> found;
    for (const LaneVector<float>& f : force) {
      for (const float v : {f.x[lane], f.y[lane], f.z[lane]})
        found.push_back(static_cast<double>(v));
    }
    const double* truth = &expected.forces_kj_mol_nm[b * m.size()];
    const double error = norm(found.data(), truth, m.size()) / norm(truth, zero.data(), m.size());
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

}  // namespace

TEST_SUITE("golden") {
  TEST_CASE("double lanes equal the reference, both force fields, with and without a cutoff") {
    for (const Name& name :
         {Name{"amber99sbildn-obc2", "Ace-A-Nme"}, Name{"amber99sbildn-obc2", "Ace-ILDN-Nme"},
          Name{"amber14-obc1", "ACDEFGH"}, Name{"amber14-obc1", "RSTVWY"},
          Name{"amber99sbildn-obc2", "Ace-MC-Nme"}, Name{"amber14-obc1", "Ace-MC-Nme"}}) {
      CAPTURE(name.sequence);
      const Molecule molecule(name.force_field, name.sequence);
      check_against_reference(molecule.system, molecule.positions);
    }
  }

  TEST_CASE("double lanes equal the reference where most pairs lie beyond the cutoff") {
    Molecule molecule("amber99sbildn-obc2", "Ace-A-Nme");
    molecule.system.cutoff_nm = 0.35;
    check_against_reference(molecule.system, molecule.positions);
  }

  TEST_CASE("double lanes equal the reference without solvent, cut off and not") {
    Molecule molecule("amber99sbildn-obc2", "Ace-A-Nme");
    molecule.system.born_atoms.clear();
    check_against_reference(molecule.system, molecule.positions);
    molecule.system.cutoff_nm = 0.35;
    check_against_reference(molecule.system, molecule.positions);
  }

  TEST_CASE("float forces are within 1e-5 of the reference away from the minimum") {
    for (const Name& name :
         {Name{"amber99sbildn-obc2", "Ace-A-Nme"}, Name{"amber14-obc1", "IKLMNPQ"}}) {
      CAPTURE(name.sequence);
      CHECK(worst_float_error(Molecule(name.force_field, name.sequence), 1, 24) < 1e-5);
    }
  }

  TEST_CASE("float forces are within 1e-5 where hydrogens lie inside the spheres of sulphurs") {
    for (const char* force_field : {"amber99sbildn-obc2", "amber14-obc1"})
      CHECK(worst_float_error(Molecule(force_field, "Ace-MC-Nme"), 0, 6) < 1e-5);
  }

  TEST_CASE("energies do not depend on threads, batch or neighbours in the lanes") {
    const Molecule molecule("amber99sbildn-obc2", "Ace-A-Nme");
    const int threads = thread_count();
    const EnergyEngine engine(molecule.system);
    set_thread_count(2);
    const EnergyResult all = engine.evaluate(molecule.positions, true);
    set_thread_count(1);
    for (std::size_t b = 0; b < 24; ++b) {
      const auto alone =
          std::span(molecule.positions).subspan(b * molecule.size(), molecule.size());
      const EnergyResult one = engine.evaluate(alone, true);
      CHECK(one.energy_kj_mol[0] == all.energy_kj_mol[b]);
      CHECK(norm(one.forces_kj_mol_nm.data(), &all.forces_kj_mol_nm[b * molecule.size()],
                 molecule.size()) == 0);
    }
    set_thread_count(threads);
  }
}

TEST_SUITE("fast") {
  TEST_CASE("a 1-4 pair that is not excluded, or stands twice, is refused") {
    System system;
    system.mass_amu.assign(2, 12);
    system.nonbonded.assign(2, {0.5, 0.3, 0.4});
    system.scaled_pairs = {{0, 1, 0.2, 0.3, 0.2}};
    CHECK(error_message([&] { const LaneEnergy<double> energy(system); }).find("atoms 0 and 1") !=
          std::string::npos);
    system.exclusions = {{0, 1}};
    CHECK(error_message([&] { const LaneEnergy<double> energy(system); }) == "");
    system.scaled_pairs.push_back(system.scaled_pairs[0]);
    CHECK(error_message([&] { const LaneEnergy<double> energy(system); }).find("once") !=
          std::string::npos);
  }
}

}  // namespace arbg::md
