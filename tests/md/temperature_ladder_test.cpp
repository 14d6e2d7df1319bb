// The ladder of parallel tempering: its ends, its spacing, and the acceptance that it promises.
#include "md/dynamics/temperature_ladder.h"

#include <doctest/doctest.h>

#include <cmath>

#include "md/dynamics/dynamics.h"
#include "md/forcefields/forcefield.h"
#include "tensor/base/npy.h"
#include "tests/md/error_message.h"

namespace arbg::md {

TEST_SUITE("fast") {
  TEST_CASE("a ladder of temperatures is geometric and holds both ends") {
    const std::vector<double> ladder = temperature_ladder(300, 1200, 3);
    REQUIRE(ladder.size() == 3);
    CHECK(ladder[0] == 300);
    CHECK(ladder[1] == doctest::Approx(600).epsilon(1e-14));
    CHECK(ladder[2] == doctest::Approx(1200).epsilon(1e-14));
    CHECK(temperature_ladder(300, 300, 1) == std::vector<double>{300});
    CHECK(error_message([] { temperature_ladder(400, 300, 2); }) != "");
  }

  TEST_CASE(
      "the expected acceptance falls with the ratio of temperatures and the number of atoms") {
    CHECK(expected_swap_acceptance(22, 300, 300) == 1);
    CHECK(expected_swap_acceptance(22, 300, 378) ==
          doctest::Approx(expected_swap_acceptance(22, 600, 756)).epsilon(1e-14));
    CHECK(expected_swap_acceptance(22, 300, 378) > expected_swap_acceptance(22, 300, 400));
    CHECK(expected_swap_acceptance(22, 300, 378) > expected_swap_acceptance(33, 300, 378));
  }

  TEST_CASE("the ladder has as few temperatures as a quarter of accepted swaps allows") {
    CHECK(ladder_size(22, 300, 300) == 1);
    for (const int atoms : {3, 22, 33, 138, 2000}) {
      const int size = ladder_size(atoms, 300, 600);
      const auto ladder = temperature_ladder(300, 600, size);
      CHECK(expected_swap_acceptance(atoms, ladder[0], ladder[1]) >= 0.25);
      if (size == 2) continue;
      const auto coarser = temperature_ladder(300, 600, size - 1);
      CHECK(expected_swap_acceptance(atoms, coarser[0], coarser[1]) < 0.25);
    }
    CHECK(ladder_size(22, 300, 600) == 4);
    CHECK(ladder_size(138, 310, 600) > ladder_size(22, 310, 600));
    CHECK(error_message([] { ladder_size(22, 600, 300); }) != "");
  }
}

TEST_SUITE("statistical") {
  TEST_CASE("alanine dipeptide swaps as often as foretold") {
    const System system =
        ForceField::named("amber99sbildn-obc2").create_system(Topology::from_sequence("Ace-A-Nme"));
    const auto all =
        read_npy(ARBG_GOLDEN_DIR "/energies/amber99sbildn-obc2/Ace-A-Nme/positions.npy").data;
    DynamicsOptions options;
    for (int ladder = 0; ladder < 12; ++ladder) {
      for (const double t : temperature_ladder(300, 600, 4))
        options.temperatures_kelvin.push_back(t);
    }
    Dynamics dynamics(system, options, std::span(all).first(66));
    dynamics.run(3000);
    constexpr int kSweeps = 150;
    double swapped[3] = {};
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      dynamics.run(100);
      const auto counts = dynamics.swap_neighbours(4);
      for (std::size_t k = 0; k < 3; ++k) swapped[k] += counts[k] / (12.0 * kSweeps);
    }
    // The formula takes the molecule as harmonic: its own error is about 0.02, the sampling's
    // 0.015.
    for (const double acceptance : swapped)
      CHECK(std::abs(acceptance - expected_swap_acceptance(22, 300, 378)) < 0.06);
  }
}

}  // namespace arbg::md
