// Energies and forces against OpenMM's double-precision reference platform.
#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <filesystem>

#include "md/energy.h"
#include "md/forcefield.h"
#include "md/pdb.h"
#include "tensor/base/npy.h"

namespace arbg::md {

namespace {

struct GoldenMolecule {
  const char* force_field;
  const char* sequence;
};

constexpr GoldenMolecule kMolecules[] = {
    {"amber99sbildn-obc2", "Ace-A-Nme"},
    {"amber99sbildn-obc2", "Ace-ILDN-Nme"},
};

std::filesystem::path folder(const GoldenMolecule& molecule) {
  return std::filesystem::path(ARBG_GOLDEN_DIR) / "energies" / molecule.force_field / molecule.sequence;
}

void check_agreement(const GoldenMolecule& molecule, EnergyBackend backend) {
  const std::filesystem::path golden = folder(molecule);
  const Topology topology = read_pdb(golden / (std::string(molecule.sequence) + ".pdb")).topology;
  const Energy energy(ForceField::named(molecule.force_field).create_system(topology), backend);
  const Array<double> positions = read_npy(golden / "positions.npy");
  const Array<double> expected_terms = read_npy(golden / "energy_terms.npy");
  const Array<double> expected_forces = read_npy(golden / "forces.npy");

  const EnergyResult result = energy.evaluate(positions.data, true);
  REQUIRE(result.terms_kj_mol.size() == expected_terms.data.size());
  REQUIRE(result.forces_kj_mol_nm.size() == expected_forces.data.size());
  for (std::size_t i = 0; i < expected_terms.data.size(); ++i) {
    CAPTURE(molecule.sequence);
    CAPTURE(kTermNames[i % kTermCount]);
    CAPTURE(i / kTermCount);  // conformation
    const double expected = expected_terms.data[i];
    CHECK(std::abs(result.terms_kj_mol[i] - expected) <= 1e-3 + 1e-7 * std::abs(expected));
  }
  const std::size_t size = expected_forces.data.size() / result.energy_kj_mol.size();
  for (std::size_t b = 0; b < result.energy_kj_mol.size(); ++b) {
    double difference2 = 0, norm2 = 0;
    for (std::size_t i = b * size; i < (b + 1) * size; ++i) {
      difference2 += std::pow(result.forces_kj_mol_nm[i] - expected_forces.data[i], 2);
      norm2 += std::pow(expected_forces.data[i], 2);
    }
    CAPTURE(molecule.sequence);
    CAPTURE(b);
    CHECK(std::sqrt(difference2 / norm2) <= 1e-6);
  }
}

}  // namespace

TEST_SUITE("golden") {
  TEST_CASE("reference energies and forces agree with OpenMM") {
    for (const GoldenMolecule& molecule : kMolecules) check_agreement(molecule, EnergyBackend::reference);
  }

  TEST_CASE("cpu energies and forces agree with OpenMM") {
    for (const GoldenMolecule& molecule : kMolecules) check_agreement(molecule, EnergyBackend::cpu);
  }
}

}  // namespace arbg::md
