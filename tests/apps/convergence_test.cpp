// Convergence of runs whose correlation is known: torsions that are turned by given series.
#include "apps/convergence.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "md/coordinates/coordinate_map.h"
#include "md/files/pdb.h"
#include "md/forcefields/forcefield.h"
#include "md/terms/vector3.h"
#include "tensor/base/files.h"
#include "tensor/base/npy.h"
#include "tensor/base/random.h"
#include "tests/md/error_message.h"
#include "tests/tensor/temporary_folder.h"

namespace arbg::apps::test {

namespace {

using md::Vector3;

constexpr double kPhi = 0.9;  // of the autoregressive series: rho(t) = kPhi^t
constexpr std::int64_t kReplicas = 4, kSaveInterval = 10;
constexpr double kTimestep = 0.002;

// Turns all atoms behind the bond from `from` to `to`, in chain order, about it.
void turn(const md::Topology& topology, std::vector<double>& x, int from, int to, double angle) {
  const Vector3 origin = md::at(x, to), axis = md::unit(origin - md::at(x, from));
  std::vector<int> behind = {to};
  std::vector<bool> seen(topology.atoms.size());
  seen[static_cast<std::size_t>(from)] = seen[static_cast<std::size_t>(to)] = true;
  const auto neighbours = topology.neighbours();
  for (std::size_t k = 0; k < behind.size(); ++k) {
    for (const int next : neighbours[static_cast<std::size_t>(behind[k])]) {
      if (seen[static_cast<std::size_t>(next)]) continue;
      seen[static_cast<std::size_t>(next)] = true;
      behind.push_back(next);
    }
  }
  for (const int atom : behind) {
    const Vector3 r = md::at(x, atom) - origin;
    const Vector3 turned = origin + std::cos(angle) * r + std::sin(angle) * md::cross(axis, r) +
                           ((1 - std::cos(angle)) * md::dot(axis, r)) * axis;
    const auto i = static_cast<std::size_t>(3 * atom);
    x[i] = turned.x, x[i + 1] = turned.y, x[i + 2] = turned.z;
  }
}

// A run of alanine dipeptide: in every replica psi is turned by an autoregressive series of its
// own, phi by independent numbers.
struct Run {
  explicit Run(std::int64_t saves) : frames(saves * kReplicas) {
    const auto topology = md::Topology::from_sequence("Ace-A-Nme");
    const auto start =
        md::ideal_geometry(topology, md::ForceField::named("amber14-obc1").create_system(topology));
    md::write_pdb(folder / "topology.pdb", topology, start);
    const int n = topology.find(1, "N"), ca = topology.find(1, "CA"), c = topology.find(1, "C");
    const Random random(7, 1);
    std::vector<double> psi(kReplicas);
    std::vector<float> all;
    for (std::int64_t f = 0; f < frames; ++f) {
      const auto normal = random.normal_pair(static_cast<std::uint64_t>(f));
      double& of_replica = psi[static_cast<std::size_t>(f % kReplicas)];
      const double step = f < kReplicas ? 1 : std::sqrt(1 - kPhi * kPhi);
      of_replica = kPhi * of_replica + step * normal[0];
      auto x = start;
      turn(topology, x, ca, c, 0.2 * of_replica);
      turn(topology, x, n, ca, 0.2 * normal[1]);
      all.insert(all.end(), x.begin(), x.end());
    }
    write_npy(positions, std::vector<std::int64_t>{frames, topology.atom_count(), 3},
              std::span<const float>(all));
    write_run_json(frames);
  }
  void write_run_json(std::int64_t stated) const {
    Json run = Json::object(), settings = Json::object();
    settings["replicas"] = kReplicas;
    settings["save_interval"] = kSaveInterval;
    settings["timestep_ps"] = kTimestep;
    run["settings"] = std::move(settings);
    run["frames"] = stated;
    write_file(folder / "run.json", run.dump());
  }
  std::string refusal() const {
    return error_message([&] { assess_convergence(folder.path()); });
  }

  std::int64_t frames;
  TemporaryFolder folder;
  std::filesystem::path positions = folder / "positions.npy";
};

const TorsionConvergence& torsion(const Convergence& c, const std::string& name) {
  const auto at = std::ranges::find(c.torsions, name, &TorsionConvergence::name);
  REQUIRE(at != c.torsions.end());
  return *at;
}

bool contains(const std::string& text, const std::string& part) {
  INFO("message: " << text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("the time of a torsion is that of the series that drives it") {
    for (const std::int64_t saves : {5000, 10000}) {  // every frame is used, and every second
      CAPTURE(saves);
      const Run run(saves);
      const auto c = assess_convergence(run.folder.path());
      const double stride = static_cast<double>(run.frames) / 20000;
      CHECK(c.frames == 20000);
      CHECK(c.spacing_ps == doctest::Approx(stride * kSaveInterval * kTimestep));
      const double rho = std::pow(kPhi, stride), tau = (1 + rho) / (1 - rho);
      const auto& psi = torsion(c, "psi ALA2");
      // The estimate's error is a tenth of it.
      CHECK(psi.time_ps == doctest::Approx(tau * c.spacing_ps).epsilon(0.2));
      CHECK(psi.effective_frames == doctest::Approx(20000 / tau).epsilon(0.2));
      CHECK(psi.reliable);
      CHECK(torsion(c, "phi ALA2").effective_frames > 18000);
      CHECK(c.floor_points == 2000);
      CHECK(c.torsion_floor_rad > 0);
      CHECK(c.torsion_floor_rad < 0.1);
    }
  }

  // Frames were counted from the file's end: each was shifted by what a killed run had left there.
  TEST_CASE("bytes that a killed run left behind the frames change nothing") {
    const Run run(500);
    const auto before = assess_convergence(run.folder.path());
    for (const std::size_t bytes : {std::size_t{7}, std::size_t{3 * 22 * 3 * 4}}) {
      CAPTURE(bytes);
      std::ofstream(run.positions, std::ios::app | std::ios::binary) << std::string(bytes, '\1');
      const auto after = assess_convergence(run.folder.path());
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
    CHECK(assess_convergence(run.folder.path()).torsions.empty());
  }
}

}  // namespace arbg::apps::test
