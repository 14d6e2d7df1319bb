// Conformations as they are found: published files, run folders, whole or not.
#include "apps/runs/dataset.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "md/dynamics/simulation_file.h"
#include "md/energy/engine.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/units.h"
#include "tensor/base/files.h"
#include "tensor/base/npy.h"
#include "tests/md/error_message.h"
#include "tests/tensor/temporary_folder.h"

namespace arbg::apps::test {

namespace {

namespace fs = std::filesystem;

const fs::path kCases = ARBG_GOLDEN_DIR "/cases";
const fs::path kMolecule = ARBG_GOLDEN_DIR "/energies/amber99sbildn-obc2/Ace-A-Nme";

bool contains(const std::string& text, const std::string& part) {
  INFO("message: " << text);
  return text.find(part) != std::string::npos;
}

// Golden conformations, but for the last four: noise of 0.05 nm has turned hands of theirs.
Array<double> conformations() {
  Array<double> positions = read_npy(kMolecule / "positions.npy");
  positions.shape[0] = 20;
  positions.data.resize(20 * 66);
  return positions;
}

// A run folder of them.
struct Run {
  Run() {
    fs::copy_file(kMolecule / "Ace-A-Nme.pdb", folder / "topology.pdb");
    md::SimulationFile run;
    run.options.forcefield = "amber99sbildn-obc2";
    run.options.replicas = 2;
    md::write_simulation_file(folder.path(), run);
    write_npy(folder / "positions.npy", positions);
  }
  std::string refusal() const {
    return error_message([&] { load_dataset(folder.path()); });
  }
  Array<double> positions = conformations();
  TemporaryFolder folder;
};

}  // namespace

TEST_SUITE("golden") {
  TEST_CASE("published files have the order of the PDB file beside them, not that of arbg build") {
    std::vector<double> energies;
    for (const char* kind : {"published-heavy", "published-ch3first"}) {
      CAPTURE(kind);
      Dataset data = load_dataset(kCases / kind / "Ace-A-Nme_300K_test.npy", "amber99sbildn-obc2");
      CHECK(data.frames() == 60);
      CHECK(data.temperature_kelvin == 300);
      CHECK(data.topology.describe(0) ==
            (kind == std::string("published-heavy") ? "ACE1:CH3" : "ACE1:C"));
      // The same conformations in both folders.
      if (energies.empty()) energies = data.reduced_energy;
      for (std::size_t f = 0; f < 60; ++f) {
        CHECK(data.reduced_energy[f] == doctest::Approx(energies[f]).epsilon(1e-9));
        CHECK(data.reduced_energy[f] < 0);
      }
      // And in the order of another molecule, with the same energies.
      const auto built = md::Topology::from_sequence("Ace-A-Nme");
      CHECK(data.reorder(built, "x"));
      CHECK_FALSE(data.reorder(built, "x"));
      CHECK(data.topology.describe(0) == built.describe(0));
      const md::EnergyEngine energy(
          md::ForceField::named("amber99sbildn-obc2").create_system(data.topology));
      const auto again = energy.evaluate(data.positions_nm, false).energy_kj_mol;
      for (std::size_t f = 0; f < 60; ++f)
        CHECK(again[f] / md::thermal_energy(300) == doctest::Approx(energies[f]).epsilon(1e-9));
      CHECK(md::parse_pdb(data.topology_pdb, "x").topology.describe(0) == built.describe(0));
    }
  }
}

TEST_SUITE("fast") {
  TEST_CASE("without a PDB file the order of arbg build is assumed, and its bonds are checked") {
    const TemporaryFolder folder;
    const auto file = folder / "Ace-A-Nme_300K_test.npy";
    for (const char* kind : {"published-heavy", "published-ch3first"}) {
      fs::copy_file(kCases / kind / "Ace-A-Nme_300K_test.npy", file,
                    fs::copy_options::overwrite_existing);
      const auto message = error_message([&] { load_dataset(file); });
      CHECK(contains(message, "ordered as by arbg build, for want of a Ace-A-Nme_300K.pdb"));
      CHECK(contains(message, "atoms must have the order of the topology"));
    }
    write_npy(file, conformations());
    CHECK(load_dataset(file).frames() == 20);
    // A PDB file of another molecule is believed, and refused.
    fs::copy_file(ARBG_GOLDEN_DIR "/energies/amber14-obc1/AAA/AAA.pdb", folder / "Ace-A-Nme.pdb");
    CHECK(contains(error_message([&] { load_dataset(file); }), "shape [frames, 33, 3]"));
  }

  TEST_CASE("published arrays of savez are read like files of save") {
    const TemporaryFolder folder;
    const auto file = folder / "Ace-A-Nme_300K_train.npz";
    fs::copy_file(ARBG_GOLDEN_DIR "/trajectories/savez_compressed.npz", file);
    CHECK(load_dataset(file).frames() == 3);
  }

  TEST_CASE("a frame that is no conformation is refused by its number, wherever it comes from") {
    Run run;
    CHECK(run.refusal().empty());
    const auto zeros = run.positions.data.begin() + 17 * 66;
    std::fill(zeros, zeros + 66, 0.0);
    for (const char* name : {"positions.npy", "Ace-A-Nme_300K_test.npy"})
      write_npy(run.folder / name, run.positions);
    CHECK(contains(run.refusal(), "positions.npy: frame 17 has all atoms at one place"));
    CHECK(contains(error_message([&] { load_dataset(run.folder / "Ace-A-Nme_300K_test.npy"); }),
                   "test.npy: frame 17 has all atoms at one place"));
    zeros[5] = INFINITY;
    write_npy(run.folder / "positions.npy", run.positions);
    CHECK(contains(run.refusal(), "positions.npy: frame 17 holds a number that is not finite"));
    write_npy(run.folder / "positions.npy", Array<double>{{0, 22, 3}, {}});
    CHECK(contains(run.refusal(), "positions.npy: there are no frames in it"));
  }

  TEST_CASE("a run folder in Angstrom, or with an energy that is no number, is refused") {
    Run run;
    auto energies = std::vector<double>(20);
    energies[3] = NAN;
    write_npy(run.folder / "energy.npy", Array<double>{{20}, energies});
    CHECK(contains(run.refusal(), "the energy of frame 3 is not finite"));
    for (double& x : run.positions.data) x *= 10;
    write_npy(run.folder / "positions.npy", run.positions);
    CHECK(contains(run.refusal(), "these are in Angstrom"));
  }

  TEST_CASE("what is no trajectory is called what it is") {
    const TemporaryFolder folder;
    const auto message = [&](const char* name, const std::string& bytes) {
      write_file(folder / name, bytes);
      return error_message([&] { load_positions(folder / name, 22); });
    };
    CHECK(contains(message("x.nc", "CDF\x01 and so on"),
                   "x.nc: expected conformations in a file that ends in .npy, .npz or .dcd; it is "
                   "a NetCDF file"));
    CHECK(contains(message("x.xtc", std::string("\0\0\x07\xcb", 4)), "it is a GROMACS .xtc"));
    CHECK(contains(message("x.npy", std::string("\0\0\x07\xc9", 4)), "it is a GROMACS .trr"));
    CHECK(contains(message("x.dcd", "\x89HDF\r\n\x1a\n and so on"), "it is an HDF5 file"));
    CHECK(contains(message("x.npz", "\x1f\x8b and so on"), "it is compressed by gzip"));
    CHECK(contains(message("x.npy", "PK\x03\x04 and so on"), "it is a ZIP archive"));
  }
}

}  // namespace arbg::apps::test
