// Runs of dynamics in their folders: what is read of them, and what is refused.
#include "apps/runs/md_run.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "md/dynamics/simulation_file.h"
#include "md/files/pdb.h"
#include "tensor/base/files.h"
#include "tensor/base/npy.h"
#include "tests/md/error_message.h"
#include "tests/sampling/turned_torsions.h"
#include "tests/tensor/temporary_folder.h"

namespace arbg::apps::test {

namespace {

using sampling::kPhi, sampling::kReplicas;

constexpr std::int64_t kSaveInterval = 10;
constexpr double kTimestep = 0.002;

// A run of alanine dipeptide whose torsions are turned by known series.
struct Run {
  explicit Run(std::int64_t saves) : frames(saves * kReplicas) {
    const sampling::TurnedTorsions turned;
    md::write_pdb(folder / "topology.pdb", turned.topology, turned.start);
    const auto x = turned.frames(saves);
    write_npy(positions, std::vector<std::int64_t>{frames, turned.topology.atom_count(), 3},
              std::span<const float>(std::vector<float>(x.begin(), x.end())));
    write_run_json(frames);
  }
  void write_run_json(std::int64_t stated) const {
    md::SimulationFile run;
    run.options.replicas = kReplicas;
    run.options.save_interval = kSaveInterval;
    run.options.timestep_ps = kTimestep;
    run.frames = stated;
    md::write_simulation_file(folder.path(), run);
  }
  std::string refusal() const {
    return error_message([&] { convergence_of_run(folder.path()); });
  }

  std::int64_t frames;
  TemporaryFolder folder;
  std::filesystem::path positions = folder / "positions.npy";
};

bool contains(const std::string& text, const std::string& part) {
  INFO("message: " << text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("at most 20,000 frames are used, evenly spaced in time, replica by replica") {
    for (const std::int64_t saves : {5000, 10000}) {  // every frame, and every second
      CAPTURE(saves);
      const Run run(saves);
      const auto c = convergence_of_run(run.folder.path());
      const double stride = static_cast<double>(run.frames) / 20000;
      CHECK(c.frames == 20000);
      CHECK(c.spacing_ps == doctest::Approx(stride * kSaveInterval * kTimestep));
      const auto psi =
          std::ranges::find(c.torsions, "psi ALA2", &sampling::TorsionConvergence::name);
      REQUIRE(psi != c.torsions.end());
      const double rho = std::pow(kPhi, stride), tau = (1 + rho) / (1 - rho);
      // The estimate's error is a tenth of it.
      CHECK(psi->time_ps == doctest::Approx(tau * c.spacing_ps).epsilon(0.2));
      CHECK(psi->effective_frames == doctest::Approx(20000 / tau).epsilon(0.2));
      CHECK(psi->reliable);
    }
  }

  // Frames were counted from the file's end: each was shifted by what a killed run had left there.
  TEST_CASE("bytes that a killed run left behind the frames change nothing") {
    const Run run(500);
    const auto before = convergence_of_run(run.folder.path());
    for (const std::size_t bytes : {std::size_t{7}, std::size_t{3 * 22 * 3 * 4}}) {
      CAPTURE(bytes);
      std::ofstream(run.positions, std::ios::app | std::ios::binary) << std::string(bytes, '\1');
      const auto after = convergence_of_run(run.folder.path());
      CHECK(after.frames == before.frames);
      CHECK(after.angles == before.angles);
    }
  }

  TEST_CASE("a run whose files do not agree is refused with the file and the frame") {
    const Run run(20);
    run.write_run_json(81);
    CHECK(contains(run.refusal(), "positions.npy: expected 81 frames, as run.json says, found 80"));
    run.write_run_json(79);
    CHECK(contains(run.refusal(), "positions.npy: expected 79 frames, as run.json says, found 80"));
    run.write_run_json(80);
    CHECK(run.refusal().empty());
    const std::string bytes = read_file(run.positions);
    std::string hole = bytes;
    hole.replace(128 + 42 * 22 * 3 * 4, 22 * 3 * 4, std::string(22 * 3 * 4, '\0'));
    write_file(run.positions, hole);
    CHECK(contains(run.refusal(), "positions.npy: frame 42 has all atoms at one place"));
    write_file(run.positions, bytes.substr(0, bytes.size() - 1));
    CHECK(contains(run.refusal(), "positions.npy: truncated"));
    write_npy(run.positions, Array<float>{{80, 21, 3}, std::vector<float>(80 * 21 * 3)});
    CHECK(contains(run.refusal(), "positions.npy: expected positions of shape [80, 22, 3]"));
  }

  TEST_CASE("of a single frame nothing is said") {
    const Run run(1);
    write_npy(run.positions, Array<float>{{1, 22, 3}, std::vector<float>(22 * 3)});
    run.write_run_json(1);
    CHECK(convergence_of_run(run.folder.path()).torsions.empty());
  }
}

}  // namespace arbg::apps::test
