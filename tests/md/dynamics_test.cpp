// Integrator, tempering and minimisation against closed forms and exact integrals.
#include "md/dynamics.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "md/forcefield.h"
#include "md/lane_energy.h"
#include "md/temperature_ladder.h"
#include "md/units.h"
#include "tensor/base/npy.h"
#include "tensor/base/threads.h"
#include "tests/md/error_message.h"

namespace arbg::md {

namespace {

constexpr double kPi = std::numbers::pi;

System alanine_dipeptide() {
  return ForceField::named("amber99sbildn-obc2")
      .create_system(Topology::from_sequence("Ace-A-Nme"));
}

std::vector<double> alanine_positions() {
  const auto all =
      read_npy(ARBG_GOLDEN_DIR "/energies/amber99sbildn-obc2/Ace-A-Nme/positions.npy").data;
  return {all.begin(), all.begin() + 66};
}

// Two atoms of mass 12 on a spring of length 0: x_1 - x_0 is an isotropic harmonic oscillator of
// mass 6.
constexpr double kSpring = 1000;
System oscillator() {
  System system;
  system.mass_amu.assign(2, 12);
  system.nonbonded.assign(2, {0, 0.3, 0});
  system.bonds = {{0, 1, 0, kSpring}};
  return system;
}
const double kFrequency = std::sqrt(kSpring / 6);  // 1/ps

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

double dihedral(const float* x) {
  double f[3], g[3], h[3];
  for (int k = 0; k < 3; ++k) {
    f[k] = static_cast<double>(x[k] - x[3 + k]);
    g[k] = static_cast<double>(x[3 + k] - x[6 + k]);
    h[k] = static_cast<double>(x[9 + k] - x[6 + k]);
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

// Mean of independent numbers and its standard error.
struct Estimate {
  double mean, error;
};
Estimate estimate(const std::vector<double>& values) {
  const double n = static_cast<double>(values.size());
  double mean = 0, square = 0;
  for (const double v : values) mean += v / n;
  for (const double v : values) square += (v - mean) * (v - mean);
  return {mean, std::sqrt(square / (n - 1) / n)};
}

// Within four standard errors, and the standard error small enough for that to mean something.
void check_estimate(const std::vector<double>& values, double truth, double largest_error) {
  const Estimate e = estimate(values);
  CAPTURE(e.error);
  CHECK(e.error < largest_error);
  CHECK(std::abs(e.mean - truth) < 4 * e.error);
}

DynamicsOptions options_for(int replicas, double temperature = 300) {
  DynamicsOptions options;
  options.temperatures_kelvin.assign(static_cast<std::size_t>(replicas), temperature);
  return options;
}

bool same(const DynamicsState& a, const DynamicsState& b) {
  return a.step == b.step && a.positions_nm == b.positions_nm &&
         a.velocities_nm_ps == b.velocities_nm_ps;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("without friction an oscillator follows the integrator's own cosine") {
    DynamicsOptions options = options_for(1);
    options.friction_per_ps = 0;
    options.timestep_ps = 0.1 / kFrequency;
    const std::vector<double> start = {0, 0, 0, 0.1, 0, 0};
    Dynamics dynamics(oscillator(), options, start);
    DynamicsState state = dynamics.state();
    std::fill(state.velocities_nm_ps.begin(), state.velocities_nm_ps.end(), 0.0f);
    dynamics.restore(state);
    // x_{n+1} - 2 x_n + x_{n-1} = -(omega dt)^2 x_n with x_{-1} = x_0, because v_0 is the velocity
    // half a step back.
    const double theta = std::acos(1 - 0.1 * 0.1 / 2);
    for (int n = 0; n <= 500; n += 10) {
      state = dynamics.state();
      const double x = static_cast<double>(state.positions_nm[3] - state.positions_nm[0]);
      CHECK(x == doctest::Approx(0.1 * std::cos((n + 0.5) * theta) / std::cos(theta / 2))
                     .scale(0.1)
                     .epsilon(2e-5));
      dynamics.run(10);
    }
  }

  TEST_CASE("a trajectory is the same for any number of threads and any company in its lanes") {
    const System system = alanine_dipeptide();
    const int threads = thread_count();
    std::vector<DynamicsState> states;
    for (const int count : {1, 2}) {
      set_thread_count(count);
      Dynamics dynamics(system, options_for(35), alanine_positions());
      dynamics.run(50);
      states.push_back(dynamics.state());
    }
    set_thread_count(threads);
    CHECK(same(states[0], states[1]));
    Dynamics few(system, options_for(3), alanine_positions());
    few.run(50);
    const DynamicsState state = few.state();
    CHECK(std::equal(state.positions_nm.begin(), state.positions_nm.end(),
                     states[0].positions_nm.begin()));
  }

  TEST_CASE("a restored run goes on bit for bit, also across centring and swaps") {
    const System system = alanine_dipeptide();
    DynamicsOptions options = options_for(6);
    options.temperatures_kelvin = {300, 400, 500, 300, 400, 500};
    const auto go_on = [](Dynamics& dynamics) {
      for (int k = 0; k < 4; ++k) {
        dynamics.run(300);
        dynamics.swap_neighbours(3);
      }
    };
    Dynamics first(system, options, alanine_positions());
    go_on(first);
    const DynamicsState middle = first.state();
    go_on(first);
    Dynamics second(system, options, alanine_positions());
    second.restore(middle);
    go_on(second);
    CHECK(same(first.state(), second.state()));
  }

  TEST_CASE("another seed gives another trajectory") {
    DynamicsOptions options = options_for(1);
    Dynamics first(alanine_dipeptide(), options, alanine_positions());
    options.seed = 2;
    Dynamics second(alanine_dipeptide(), options, alanine_positions());
    second.restore(first.state());
    first.run(1);
    second.run(1);
    CHECK_FALSE(same(first.state(), second.state()));
  }

  TEST_CASE("a replica that blows up is named") {
    DynamicsOptions options = options_for(20);
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

  TEST_CASE(
      "new temperatures rescale velocities and go on as if they had been there from the start") {
    Dynamics hot(alanine_dipeptide(), options_for(17, 1200), alanine_positions());
    hot.set_temperatures(std::vector<double>(17, 300));  // a factor of 2: exact
    Dynamics cold(alanine_dipeptide(), options_for(17, 300), alanine_positions());
    CHECK(hot.temperature_kelvin(16) == 300);
    DynamicsState state = hot.state();
    cold.restore(state);
    hot.run(20);
    cold.run(20);
    CHECK(same(hot.state(), cold.state()));
    CHECK(error_message([&] { hot.set_temperatures(std::vector<double>(3, 300)); }) != "");
  }

  TEST_CASE("replicas at one temperature always swap, and take their velocities along") {
    Dynamics dynamics(alanine_dipeptide(), options_for(3), alanine_positions());
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
    CHECK(error_message([&] { dynamics.swap_neighbours(2); }).find("evenly") != std::string::npos);
  }

  TEST_CASE("minimisation ends where forces are small, from extended and from noisy starts") {
    const System system = alanine_dipeptide();
    const auto all =
        read_npy(ARBG_GOLDEN_DIR "/energies/amber99sbildn-obc2/Ace-A-Nme/positions.npy").data;
    for (const std::ptrdiff_t conformation : {0, 5, 12, 18, 23}) {
      std::vector<double> x(all.begin() + 66 * conformation, all.begin() + 66 * (conformation + 1));
      EnergyResult start, end;
      evaluate_lanes(system, x, false, start);
      const double energy = minimize(system, x, 1.0);
      evaluate_lanes(system, x, true, end);
      double square = 0;
      for (const double f : end.forces_kj_mol_nm) square += f * f / 66;
      CHECK(std::sqrt(square) < 1.0);
      CHECK(energy == end.energy_kj_mol[0]);
      CHECK(energy <= start.energy_kj_mol[0]);
    }
  }

  TEST_CASE("minimisation refuses a start without a finite energy") {
    std::vector<double> x = alanine_positions();
    x[0] = std::numeric_limits<double>::quiet_NaN();
    CHECK(error_message([&] { minimize(alanine_dipeptide(), x); }).find("not finite") !=
          std::string::npos);
  }
}

TEST_SUITE("statistical") {
  TEST_CASE("without friction the energy of alanine dipeptide does not drift") {
    // Kinetic energy half a step off shifts the mean, but by the same at any time.
    const auto mean_energy = [](Dynamics& dynamics) {
      constexpr int kSamples = 100;
      std::vector<double> mean(static_cast<std::size_t>(dynamics.replica_count()));
      for (int sample = 0; sample < kSamples; ++sample) {
        dynamics.run(7);
        const auto potential = dynamics.potential_energy_kj_mol();
        const auto kinetic = dynamics.kinetic_energy_kj_mol();
        for (std::size_t r = 0; r < mean.size(); ++r)
          mean[r] += (potential[r] + kinetic[r]) / kSamples;
      }
      return mean;
    };
    const System system = alanine_dipeptide();
    for (const double timestep_ps : {0.0005, 0.001}) {
      CAPTURE(timestep_ps);
      Dynamics warm(system, options_for(16), alanine_positions());
      warm.run(5000);
      DynamicsOptions options = options_for(16);
      options.friction_per_ps = 0;
      options.timestep_ps = timestep_ps;
      Dynamics dynamics(system, options, alanine_positions());
      dynamics.restore(warm.state());
      std::vector<double> drift = mean_energy(dynamics);
      dynamics.run(60000);
      const std::vector<double> after = mean_energy(dynamics);
      const double nanoseconds = 60700 * timestep_ps * 1e-3;
      for (std::size_t r = 0; r < drift.size(); ++r)  // kT a nanosecond and degree of freedom
        drift[r] = (after[r] - drift[r]) / thermal_energy(300) / nanoseconds / 66;
      const Estimate e = estimate(drift);
      CHECK(e.error < 0.01);
      CHECK(std::abs(e.mean) < 4 * e.error);
    }
  }

  TEST_CASE("velocities start with the Maxwell-Boltzmann energy") {
    const Dynamics dynamics(oscillator(), options_for(4096, 500),
                            std::vector<double>{0, 0, 0, 0.1, 0, 0});
    check_estimate(dynamics.kinetic_energy_kj_mol(), 3 * thermal_energy(500),
                   0.02 * 3 * thermal_energy(500));
  }

  TEST_CASE("an oscillator has variance RT/k and kinetic energy 3 RT even at omega dt = 1") {
    DynamicsOptions options = options_for(64);
    options.timestep_ps = 1 / kFrequency;
    options.friction_per_ps = 5;
    Dynamics dynamics(oscillator(), options, std::vector<double>{0, 0, 0, 0.05, 0, 0});
    dynamics.run(1000);
    std::vector<double> square(64), kinetic(64);
    constexpr int kSamples = 2000;
    for (int sample = 0; sample < kSamples; ++sample) {
      dynamics.run(10);
      const DynamicsState state = dynamics.state();
      const std::vector<double> energy = dynamics.kinetic_energy_kj_mol();
      for (std::size_t r = 0; r < 64; ++r) {
        for (std::size_t k = 0; k < 3; ++k) {
          const float x = state.positions_nm[6 * r + 3 + k] - state.positions_nm[6 * r + k];
          square[r] += static_cast<double>(x * x) / (3 * kSamples);
        }
        kinetic[r] += energy[r] / kSamples;
      }
    }
    check_estimate(square, thermal_energy(300) / kSpring, 0.005 * thermal_energy(300) / kSpring);
    check_estimate(kinetic, 3 * thermal_energy(300), 0.005 * 3 * thermal_energy(300));
  }

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
        const double phi = dihedral(&state.positions_nm[g * kRungs * 12]);
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
