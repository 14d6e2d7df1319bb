// Dynamics on every backend: restarts, temperatures and swaps; tempering against exact integrals;
// minimisation.
#include "md/dynamics/dynamics.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "md/dynamics/temperature_ladder.h"
#include "md/molecule/units.h"
#include "tensor/base/npy.h"
#include "tensor/base/threads.h"
#include "tests/backends.h"
#include "tests/md/dynamics_testing.h"
#include "tests/md/error_message.h"

namespace arbg::md {

namespace {

constexpr double kPi = std::numbers::pi;

// Four atoms whose dihedral feels two wells at +-90 degrees, the positive one higher, 20 kJ/mol
// between them. Nothing else depends on it, so its exact density is exp(-V(phi)/RT).
System two_wells() {
  System system;
  system.mass_amu.assign(4, 12);
  system.nonbonded.assign(4, {0, 0.3, 0});
  for (int i = 0; i < 3; ++i) system.bonds.push_back({i, i + 1, 0.15, 1e5});
  for (int i = 0; i < 2; ++i) system.angles.push_back({i, i + 1, i + 2, 1.9, 500});
  system.torsions = {{0, 1, 2, 3, 2, 0, 10}, {0, 1, 2, 3, 1, kPi / 2, 0.7}};
  return system;
}
double well_energy(double phi) {
  return 10 * (1 + std::cos(2 * phi)) + 0.7 * (1 + std::cos(phi - kPi / 2));
}

double dihedral(std::span<const double> x) {
  double f[3], g[3], h[3];
  for (std::size_t k = 0; k < 3; ++k) {
    f[k] = x[k] - x[3 + k];
    g[k] = x[3 + k] - x[6 + k];
    h[k] = x[9 + k] - x[6 + k];
  }
  const auto dot = [](const double* a, const double* b) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  };
  const auto cross = [](const double* a, const double* b, double* c) {
    for (int k = 0; k < 3; ++k)
      c[k] = a[(k + 1) % 3] * b[(k + 2) % 3] - a[(k + 2) % 3] * b[(k + 1) % 3];
  };
  double a[3], b[3], ba[3];
  cross(f, g, a);
  cross(h, g, b);
  cross(b, a, ba);
  return std::atan2(dot(ba, g) / std::sqrt(dot(g, g)), dot(a, b));
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("replicas that are put back stand where they are told, and move as heat has it") {
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      const System system = alanine_dipeptide();
      DynamicsOptions options;
      options.backend = backend;
      options.temperatures_kelvin.assign(5, 300);
      Dynamics dynamics(system, options, alanine_positions());
      const DynamicsState before = dynamics.state();
      dynamics.run(10);
      const DynamicsState there = dynamics.state();
      dynamics.put_back(std::vector{1, 4}, before.positions_nm);
      const DynamicsState now = dynamics.state();
      double kinetic = 0;
      for (std::size_t i = 0; i < now.positions_nm.size(); ++i) {
        const bool is_back = i / 66 == 1 || i / 66 == 4;
        CHECK(now.positions_nm[i] == (is_back ? before : there).positions_nm[i]);
        CHECK((now.velocities_nm_ps[i] == there.velocities_nm_ps[i]) == !is_back);
        CHECK((!is_back || now.velocities_nm_ps[i] != before.velocities_nm_ps[i]));
        if (is_back)
          kinetic += system.mass_amu[i / 3 % 22] * std::pow(now.velocities_nm_ps[i], 2) / 2;
      }
      // RT/2 for each of 132 numbers; the standard error is 12 %.
      CHECK(kinetic / 132 == doctest::Approx(thermal_energy(300) / 2).epsilon(0.35));
      CHECK(dynamics.step() == 10);
    }
  }

  TEST_CASE("a trajectory is the same for any number of threads and any company in its lanes") {
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      const System system = alanine_dipeptide();
      const int threads = thread_count();
      std::vector<DynamicsState> states;
      for (const int count : {1, 2}) {
        set_thread_count(count);
        Dynamics dynamics(system, options_for(backend, 35), alanine_positions());
        dynamics.run(50);
        states.push_back(dynamics.state());
      }
      set_thread_count(threads);
      CHECK(same(states[0], states[1]));
      Dynamics few(system, options_for(backend, 3), alanine_positions());
      few.run(50);
      const DynamicsState state = few.state();
      CHECK(std::equal(state.positions_nm.begin(), state.positions_nm.end(),
                       states[0].positions_nm.begin()));
    }
  }

  TEST_CASE("a restored run goes on bit for bit, also across centring and swaps") {
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      const System system = alanine_dipeptide();
      DynamicsOptions options = options_for(backend, 6);
      options.temperatures_kelvin = {300, 400, 500, 300, 400, 500};
      const auto go_on = [](Dynamics& dynamics) {
        for (int k = 0; k < 4; ++k) {
          dynamics.run(30);
          dynamics.swap_neighbours(3);
        }
      };
      Dynamics first(system, options, alanine_positions());
      DynamicsState late = first.state();
      late.step = kStepsBetweenCentring - 180;
      first.restore(late);
      go_on(first);
      const DynamicsState middle = first.state();
      go_on(first);
      Dynamics second(system, options, alanine_positions());
      second.restore(middle);
      go_on(second);
      CHECK(same(first.state(), second.state()));
    }
  }

  TEST_CASE("another seed gives another trajectory") {
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      DynamicsOptions options = options_for(backend, 1);
      Dynamics first(alanine_dipeptide(), options, alanine_positions());
      options.seed = 2;
      Dynamics second(alanine_dipeptide(), options, alanine_positions());
      second.restore(first.state());
      first.run(1);
      second.run(1);
      CHECK_FALSE(same(first.state(), second.state()));
    }
  }

  TEST_CASE("a replica that blows up is named") {
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      DynamicsOptions options = options_for(backend, 20);
      std::vector<double> start;
      for (int r = 0; r < 20; ++r) {
        const std::vector<double> one = alanine_positions();
        start.insert(start.end(), one.begin(), one.end());
      }
      start[17 * 66 + 3] = start[17 * 66];  // two atoms of replica 17 in one place
      start[17 * 66 + 4] = start[17 * 66 + 1];
      start[17 * 66 + 5] = start[17 * 66 + 2];
      Dynamics dynamics(alanine_dipeptide(), options, start);
      CHECK(error_message([&] { dynamics.run(10); }).find("replica 17 ") != std::string::npos);
    }
  }

  TEST_CASE(
      "new temperatures rescale velocities and go on as if they had been there from the start") {
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      Dynamics hot(alanine_dipeptide(), options_for(backend, 17, 1200), alanine_positions());
      hot.set_temperatures(std::vector<double>(17, 300));  // a factor of 2: exact
      Dynamics cold(alanine_dipeptide(), options_for(backend, 17, 300), alanine_positions());
      CHECK(hot.temperature_kelvin(16) == 300);
      DynamicsState state = hot.state();
      cold.restore(state);
      hot.run(20);
      cold.run(20);
      CHECK(same(hot.state(), cold.state()));
      CHECK(error_message([&] { hot.set_temperatures(std::vector<double>(3, 300)); }) != "");
    }
  }

  TEST_CASE("replicas at one temperature always swap, and take their velocities along") {
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      Dynamics dynamics(alanine_dipeptide(), options_for(backend, 3), alanine_positions());
      dynamics.run(10);
      const DynamicsState before = dynamics.state();
      CHECK(dynamics.swap_neighbours(3) == std::vector<int>{1, 1});
      const DynamicsState after = dynamics.state();
      for (const auto& [to, from] : {std::pair(0, 1), std::pair(1, 2), std::pair(2, 0)}) {
        CHECK(std::equal(after.positions_nm.begin() + 66 * to,
                         after.positions_nm.begin() + 66 * (to + 1),
                         before.positions_nm.begin() + 66 * from));
        CHECK(std::equal(after.velocities_nm_ps.begin() + 66 * to,
                         after.velocities_nm_ps.begin() + 66 * (to + 1),
                         before.velocities_nm_ps.begin() + 66 * from));
      }
      CHECK(error_message([&] { dynamics.swap_neighbours(2); }).find("evenly") !=
            std::string::npos);
    }
  }

  TEST_CASE("minimisation ends where forces are small, from extended and from noisy starts") {
    const auto all =
        read_npy(ARBG_GOLDEN_DIR "/energies/amber99sbildn-obc2/Ace-A-Nme/positions.npy").data;
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      const EnergyEngine engine(alanine_dipeptide(), backend);
      for (const std::ptrdiff_t conformation : {0, 5, 12, 18, 23}) {
        std::vector<double> x(all.begin() + 66 * conformation,
                              all.begin() + 66 * (conformation + 1));
        const EnergyResult start = engine.evaluate(x, false);
        const double energy = minimize(engine, x, 1.0);
        const EnergyResult end = engine.evaluate(x, true);
        double square = 0;
        for (const double f : end.forces_kj_mol_nm) square += f * f / 66;
        CHECK(std::sqrt(square) < 1.0);
        CHECK(energy == end.energy_kj_mol[0]);
        CHECK(energy <= start.energy_kj_mol[0]);
      }
    }
  }

  TEST_CASE("minimisation refuses a start without a finite energy") {
    std::vector<double> x = alanine_positions();
    x[0] = std::numeric_limits<double>::quiet_NaN();
    CHECK(error_message([&] {
            minimize(EnergyEngine(alanine_dipeptide()), x);
          }).find("not finite") != std::string::npos);
  }
}

TEST_SUITE("statistical") {
  TEST_CASE("tempering carries the coldest replicas over a barrier to the exact distribution") {
    constexpr std::size_t kLadders = 32, kRungs = 4;
    DynamicsOptions options;
    options.timestep_ps = 0.002;
    options.friction_per_ps = 2;
    for (std::size_t g = 0; g < kLadders; ++g) {
      for (const double t : temperature_ladder(300, 1200, kRungs))
        options.temperatures_kelvin.push_back(t);
    }
    // Every replica starts in the higher well.
    const double s = 0.15 * std::sin(1.9), c = 0.15 * std::cos(1.9);
    Dynamics dynamics(two_wells(), options,
                      std::vector<double>{c, s, 0, 0, 0, 0, 0.15, 0, 0, 0.15 - c, 0, s});
    std::vector<double> positive(kLadders), shape(kLadders);
    constexpr int kSamples = 2000, kSkipped = 200;
    for (int sample = -kSkipped; sample < kSamples; ++sample) {
      dynamics.run(50);
      dynamics.swap_neighbours(kRungs);
      if (sample < 0) continue;
      const DynamicsState state = dynamics.state();
      for (std::size_t g = 0; g < kLadders; ++g) {
        const double phi = dihedral(std::span(state.positions_nm).subspan(g * kRungs * 12, 12));
        positive[g] += (phi > 0) / static_cast<double>(kSamples);
        shape[g] += std::cos(2 * phi) / kSamples;
      }
    }
    double total = 0, exact_positive = 0, exact_shape = 0;
    for (int k = 0; k < 3600; ++k) {
      const double phi = -kPi + (k + 0.5) * 2 * kPi / 3600,
                   p = std::exp(-well_energy(phi) / thermal_energy(300));
      total += p;
      exact_positive += p * (phi > 0);
      exact_shape += p * std::cos(2 * phi);
    }
    check_estimate(positive, exact_positive / total, 0.01);
    check_estimate(shape, exact_shape / total, 0.003);
  }
}

}  // namespace arbg::md
