// Conformations from elsewhere as samples: frames, weights, energies, and what is refused.
#include "apps/runs/given_samples.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "md/dynamics/simulation_file.h"
#include "md/energy/engine.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/units.h"
#include "tensor/base/npy.h"
#include "tests/md/error_message.h"
#include "tests/tensor/temporary_folder.h"

namespace arbg::apps::test {
namespace {

namespace fs = std::filesystem;

const fs::path kMolecule = ARBG_GOLDEN_DIR "/energies/amber99sbildn-obc2/Ace-A-Nme";
constexpr std::int64_t kFrames = 20;
constexpr std::size_t kNumbers = 66;  // of a frame

// Twenty golden conformations, as the frames of two replicas of dynamics and as a file of their
// own.
struct Fixture {
  Fixture() {
    positions = read_npy(kMolecule / "positions.npy");
    positions.shape[0] = kFrames;
    positions.data.resize(kFrames * kNumbers);
    fs::copy_file(kMolecule / "Ace-A-Nme.pdb", folder / "topology.pdb");
    md::SimulationFile run;
    run.options.forcefield = "amber99sbildn-obc2";
    run.options.replicas = 2;
    md::write_simulation_file(folder.path(), run);
    write_npy(folder / "positions.npy", positions);
    write_npy(elsewhere / "frames.npy", positions);
    reference = load_dataset(folder.path());
  }
  SamplesRun given(const fs::path& log_weights = {}) const {
    return load_given_samples(elsewhere / "frames.npy", log_weights, reference);
  }
  fs::path weights(std::vector<double> values) const {
    write_npy(elsewhere / "w.npy", Array<double>{{std::ssize(values)}, values});
    return elsewhere / "w.npy";
  }
  Array<double> positions;
  TemporaryFolder folder, elsewhere;
  Dataset reference;
};

}  // namespace

TEST_SUITE("golden") {
  TEST_CASE("frames of a file are samples with the energies of the reference's force field") {
    const Fixture fixture;
    const SamplesRun run = fixture.given();
    CHECK(run.count() == kFrames);
    CHECK(run.file.weight_kind == sampling::WeightKind::none);
    CHECK(run.log_weight == std::vector<double>(kFrames, 0.0));
    CHECK(run.positions_nm == fixture.positions.data);
    const auto system =
        md::ForceField::named("amber99sbildn-obc2").create_system(fixture.reference.topology);
    const auto energies = md::EnergyEngine(system).evaluate(run.positions_nm, false).energy_kj_mol;
    const double rt = md::thermal_energy(fixture.reference.temperature_kelvin);
    for (std::size_t i = 0; i < energies.size(); ++i)
      CHECK(run.reduced_energy[i] == doctest::Approx(energies[i] / rt).epsilon(1e-12));
  }

  TEST_CASE("frames of dynamics are of their replicas, and cost what was computed for them") {
    const Fixture fixture;
    const SamplesRun run = load_given_samples(fixture.folder.path(), {}, fixture.reference);
    CHECK(run.positions_nm == fixture.positions.data);
    CHECK(run.ensemble().replicas == 2);
    const auto file = md::read_simulation_file(fixture.folder.path());
    REQUIRE(file.ladder_kelvin.empty());
    CHECK(run.file.energies_a_sample == file.options.save_interval);
    CHECK(run.file.warm_up_energies == 2 * file.options.warmup_steps);
    auto scrambled = file;
    scrambled.options.scramble_steps = 700;
    md::write_simulation_file(fixture.folder.path(), scrambled);
    CHECK(load_given_samples(fixture.folder.path(), {}, fixture.reference).file.warm_up_energies ==
          2 * (file.options.warmup_steps + 700));
  }

  TEST_CASE("log weights from a file are as many as frames, and numbers below infinity") {
    const Fixture fixture;
    std::vector<double> log_weight(kFrames, 0.5);
    log_weight[3] = -INFINITY;
    const SamplesRun run = fixture.given(fixture.weights(log_weight));
    CHECK(run.file.weight_kind == sampling::WeightKind::relative);
    CHECK(run.log_weight == log_weight);
    const auto refusal = [&](std::vector<double> values) {
      return error_message([&] { fixture.given(fixture.weights(std::move(values))); });
    };
    CHECK(refusal(std::vector<double>(7)).find("expected 20 log weights, one a frame, found [7]") !=
          std::string::npos);
    log_weight[4] = NAN;
    CHECK(refusal(log_weight).find("the log weight of frame 4") != std::string::npos);
    log_weight[4] = INFINITY;
    CHECK(refusal(log_weight).find("the log weight of frame 4") != std::string::npos);
  }

  TEST_CASE(
      "samples whose atoms have another order, without a PDB file that says so, are refused") {
    const Fixture fixture;
    Array<double> other = fixture.positions;
    for (std::size_t f = 0; f < static_cast<std::size_t>(kFrames); ++f) {
      const auto frame = other.data.begin() + static_cast<std::ptrdiff_t>(f * kNumbers);
      std::rotate(frame, frame + 3, frame + kNumbers);
    }
    write_npy(fixture.elsewhere / "frames.npy", other);
    CHECK(error_message([&] {
            fixture.given();
          }).find("atoms must have the order of the topology") != std::string::npos);
  }

  TEST_CASE("samples in Angstrom or of another force field are refused") {
    Fixture fixture;
    Array<double> angstrom = fixture.positions;
    for (double& x : angstrom.data) x *= 10;
    write_npy(fixture.elsewhere / "frames.npy", angstrom);
    CHECK(error_message([&] { fixture.given(); }).find("these are in Angstrom") !=
          std::string::npos);
    // Beside the molecule of a run, where bonds may be of any length, too.
    fs::copy_file(kMolecule / "Ace-A-Nme.pdb", fixture.elsewhere / "topology.pdb");
    CHECK(error_message([&] { fixture.given(); }).find("these are in Angstrom") !=
          std::string::npos);
    fixture.reference.temperature_kelvin = 310;
    const auto refusal =
        error_message([&] { load_given_samples(fixture.folder.path(), {}, fixture.reference); });
    CHECK(refusal.find("the reference of amber99sbildn-obc2 at 310 K") != std::string::npos);
  }
}

}  // namespace arbg::apps::test
