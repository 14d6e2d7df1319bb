// Energies and forces against OpenMM's double-precision reference platform.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>

#include "md/energy/engine.h"
#include "md/files/pdb.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/units.h"
#include "tensor/base/npy.h"
#include "tests/backends.h"

namespace arbg::md {

namespace {

// OpenMM writes 1/(4 pi eps0) as 138.935456, as we do, or was made to; but version 7.7 has another
// number in the generalised Born force of amber14-obc1.
constexpr double kCustomCoulomb = 138.935485;

struct GoldenMolecule {
  const char* force_field;
  const char* sequence;
  double solvent_coulomb = kCoulomb;
};

constexpr GoldenMolecule kMolecules[] = {
    {"amber99sbildn-obc2", "Ace-A-Nme"},
    {"amber99sbildn-obc2", "Ace-ILDN-Nme"},
    {"amber14-obc1", "AAA", kCustomCoulomb},
    {"amber14-obc1", "ACDEFGH", kCustomCoulomb},
    {"amber14-obc1", "IKLMNPQ", kCustomCoulomb},
    {"amber14-obc1", "RSTVWY", kCustomCoulomb},
    // Disulfide bonds, protonation states, ends, an amide: built by ourselves, read by OpenMM 8.6.
    {"amber99sbildn-obc2", "Ace-MC-Nme"},  // hydrogens inside the spheres of sulphurs
    {"amber14-obc1", "Ace-MC-Nme"},
    {"amber99sbildn-obc2", "GCCAGCSC_2-6_3-8"},
    {"amber99sbildn-obc2", "CGGC_1-4"},
    {"amber99sbildn-obc2", "HAH_HIS1-HIP_HIS3-HID"},
    {"amber99sbildn-obc2", "Ace-HDEKC-Nme_HIS2-HIP_ASP3-ASH_GLU4-GLH_LYS5-LYN_CYS6-CYM"},
    {"amber99sbildn-obc2", "Ace-AS-Nhe"},
    {"amber14-obc1", "Ace-AS-Nhe"},
    {"amber14-obc1", "GCCAGCSC_2-6_3-8"},
    {"amber14-obc1", "CGGC_1-4"},
    {"amber14-obc1", "HAH_HIS1-HIP_HIS3-HID"},
    {"amber14-obc1", "Ace-HDEKC-Nme_HIS2-HIP_ASP3-ASH_GLU4-GLH_LYS5-LYN_CYS6-CYM"},
};

std::filesystem::path folder(const GoldenMolecule& molecule) {
  return std::filesystem::path(ARBG_GOLDEN_DIR) / "energies" / molecule.force_field /
         molecule.sequence;
}

// Scaling both dielectrics scales the solvent's constant: the minimised conformations are sensitive
// to it (2e-5 of small forces).
System with_solvent_coulomb(System system, double constant) {
  system.born.solute_dielectric *= kCoulomb / constant;
  system.born.solvent_dielectric *= kCoulomb / constant;
  return system;
}

void check_agreement(const GoldenMolecule& molecule, Backend backend) {
  const std::filesystem::path golden = folder(molecule);
  const Topology topology = read_pdb(golden / (std::string(molecule.sequence) + ".pdb")).topology;
  const System system = ForceField::named(molecule.force_field).create_system(topology);
  const EnergyEngine energy(with_solvent_coulomb(system, molecule.solvent_coulomb), backend);
  const Array<double> positions = read_npy(golden / "positions.npy");
  const Array<double> expected_terms = read_npy(golden / "energy_terms.npy");
  const Array<double> expected_forces = read_npy(golden / "forces.npy");

  CAPTURE(std::string(name_of(backend)));
  const EnergyResult result = energy.evaluate(positions.data, true);
  REQUIRE(result.terms_kj_mol.size() == expected_terms.data.size());
  REQUIRE(result.forces_kj_mol_nm.size() == expected_forces.data.size());
  for (std::size_t i = 0; i < expected_terms.data.size(); ++i) {
    CAPTURE(std::string(molecule.sequence));
    CAPTURE(std::string(kTermNames[i % kTermCount]));
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
    CAPTURE(std::string(molecule.sequence));
    CAPTURE(b);
    CHECK(std::sqrt(difference2 / norm2) <= 1e-6);
  }
}

}  // namespace

TEST_SUITE("golden") {
  TEST_CASE("energies and forces agree with OpenMM, on every backend") {
    for (const Backend backend : backends_here()) {
      for (const GoldenMolecule& molecule : kMolecules) check_agreement(molecule, backend);
    }
  }
}

}  // namespace arbg::md
