// Replicas of several molecules in one launch: as if each were alone. Of builds with CUDA, and on
// the emulated device.
#include <doctest/doctest.h>

#include <algorithm>

#include "md/dynamics/replicas_cuda.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"
#include "tests/backends.h"
#include "tests/md/dynamics_testing.h"
#include "tests/md/error_message.h"

namespace arbg::md {

namespace {

// Odd numbers of atoms, both solvents, none, and a molecule of two.
struct Molecules {
  std::vector<System> systems = {golden_system("amber99sbildn-obc2", "Ace-A-Nme"),
                                 golden_system("amber14-obc1", "AAA"), oscillator(),
                                 golden_system("amber14-obc1", "AAA")};
  std::vector<std::vector<double>> starts = {alanine_positions(),
                                             golden_positions("amber14-obc1", "AAA", 1, 99),
                                             {0, 0, 0, 0.1, 0, 0},
                                             golden_positions("amber14-obc1", "AAA", 2, 99)};

  Molecules() {
    systems[1].cutoff_nm = 0.5;
    systems[3].born_atoms.clear();
  }
};

ReplicaOnDevice replica_of(std::size_t system, std::size_t k) {
  return {system, stream_id(streams::kLangevin, k), 300 + 50 * static_cast<double>(k)};
}

std::vector<float> end_of(const ReplicasOnDevice& replicas, std::size_t replica) {
  const auto x = replicas.positions(replica), v = replicas.velocities(replica);
  std::vector<float> end(x.begin(), x.end());
  end.insert(end.end(), v.begin(), v.end());
  return end;
}

void start(ReplicasOnDevice& replicas, std::size_t replica, const std::vector<double>& x) {
  std::ranges::transform(x, replicas.change_positions(replica).begin(),
                         [](double number) { return static_cast<float>(number); });
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("replicas of several molecules in one launch move as each of them alone") {
    if (!is_here(Backend::cuda)) return;
    const Molecules of;
    const DynamicsOptions options = options_for(Backend::cuda, 1);
    std::vector<ReplicaOnDevice> listed;
    for (std::size_t k = 0; k < 7; ++k) listed.push_back(replica_of(k % of.systems.size(), k));
    ReplicasOnDevice together(of.systems, listed, options);
    for (std::size_t k = 0; k < listed.size(); ++k) start(together, k, of.starts[listed[k].system]);
    together.run(995, 15);  // across a change of the centroid
    together.set_temperature(3, 700);
    together.run(1010, 5);
    for (std::size_t k = 0; k < listed.size(); ++k) {
      CAPTURE(k);
      const std::size_t system = listed[k].system;
      const ReplicaOnDevice one{0, listed[k].stream, listed[k].kelvin};
      ReplicasOnDevice alone(std::span(&of.systems[system], 1), std::span(&one, 1), options);
      start(alone, 0, of.starts[system]);
      alone.run(995, 15);
      if (k == 3) alone.set_temperature(0, 700);
      alone.run(1010, 5);
      CHECK(end_of(alone, 0) == end_of(together, k));
    }
  }

  // 116 bytes an atom in dynamics, 152 of an energy, and what kernels declare by themselves: some
  // of these sizes nearly fill the 48 KiB that a block has without asking for more.
  TEST_CASE("molecules around 48 KiB of shared memory are computed, whatever comes beside it") {
    if (!is_here(Backend::cuda)) return;
    for (const std::size_t atoms : {320U, 322U, 323U, 324U, 422U, 423U, 424U}) {
      CAPTURE(atoms);
      System chain;
      chain.mass_amu.assign(atoms, 12);
      chain.nonbonded.assign(atoms, {0, 0.3, 0});
      std::vector<double> x;
      for (std::size_t a = 0; a < atoms; ++a)
        x.insert(x.end(), {0.5 * static_cast<double>(a), 0, 0});
      CHECK(EnergyEngine(chain, Backend::cuda).evaluate(x, true).energy_kj_mol[0] == 0);
      Dynamics dynamics(chain, options_for(Backend::cuda, 1), x);
      dynamics.run(1);
      CHECK(dynamics.step() == 1);
    }
  }

  TEST_CASE("a molecule that does not fit into a block is refused") {
    if (!is_here(Backend::cuda)) return;
    System large;
    large.mass_amu.assign(2000, 12);
    large.nonbonded.assign(2000, {0, 0.3, 0});
    CHECK(error_message([&] { EnergyEngine(large, Backend::cuda); }).find("--backend cpu") !=
          std::string::npos);
    const ReplicaOnDevice one = replica_of(0, 0);
    CHECK(error_message([&] {
            ReplicasOnDevice(std::span(&large, 1), std::span(&one, 1),
                             options_for(Backend::cuda, 1));
          }).find("--backend cpu") != std::string::npos);
  }
}

}  // namespace arbg::md
