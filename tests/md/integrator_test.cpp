// The integrator of every backend against closed forms, exact means, and the other backends.
#include "md/dynamics/integrator.h"

#include <doctest/doctest.h>

#include <cmath>

#include "md/molecule/units.h"
#include "tests/backends.h"
#include "tests/md/dynamics_testing.h"
#include "tests/md/error_message.h"

namespace arbg::md {

namespace {

// |a - b| / |b|
double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double square = 0, norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    square += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  return std::sqrt(square / norm);
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("without friction an oscillator follows the integrator's own cosine") {
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      const double tolerance = backend == Backend::reference ? 1e-12 : 2e-5;
      DynamicsOptions options = options_for(backend, 1);
      options.friction_per_ps = 0;
      options.timestep_ps = 0.1 / kFrequency;
      const std::vector<double> start = {0, 0, 0, 0.1, 0, 0};
      const auto integrator = make_integrator(oscillator(), options);
      integrator->set(start, std::vector<double>(6));
      // x_{n+1} - 2 x_n + x_{n-1} = -(omega dt)^2 x_n with x_{-1} = x_0, because v_0 is the
      // velocity half a step back.
      const double theta = std::acos(1 - 0.1 * 0.1 / 2);
      for (int n = 0; n <= 500; n += 10) {
        const std::vector<double> now = integrator->positions_nm();
        CHECK(now[3] - now[0] ==
              doctest::Approx(0.1 * std::cos((n + 0.5) * theta) / std::cos(theta / 2))
                  .scale(0.1)
                  .epsilon(tolerance));
        integrator->run(n, 10);
      }
    }
  }

  // Centring, kicks, drifts, noise, exchanges and new temperatures, in this order.
  TEST_CASE("the same random numbers take every backend along the same trajectory") {
    std::vector<DynamicsState> ends;
    for (const Backend backend : backends_here()) {
      DynamicsOptions options = options_for(backend, 4);
      options.temperatures_kelvin = {300, 350, 300, 350};
      options.friction_per_ps = 20;
      Dynamics dynamics(alanine_dipeptide(), options, alanine_positions());
      DynamicsState late = dynamics.state();
      late.step = 995;
      dynamics.restore(late);
      dynamics.run(5);
      CHECK(dynamics.swap_neighbours(2) == std::vector<int>{2});
      dynamics.run(5);
      dynamics.set_temperatures(std::vector<double>{300, 400, 300, 400});
      dynamics.run(10);
      ends.push_back(dynamics.state());
    }
    CHECK(ends[1].step == ends[0].step);
    CHECK(distance(ends[1].positions_nm, ends[0].positions_nm) < 1e-6);
    CHECK(distance(ends[1].velocities_nm_ps, ends[0].velocities_nm_ps) < 5e-5);
  }

  TEST_CASE("options out of range and a backend that is not built are refused") {
    const System system = oscillator();
    const auto refusal = [&](const auto& change) {
      DynamicsOptions options = options_for(Backend::cpu, 1);
      change(options);
      return error_message([&] { make_integrator(system, options); });
    };
    CHECK(refusal([](DynamicsOptions& o) { o.timestep_ps = 0; }).find("timestep") !=
          std::string::npos);
    CHECK(refusal([](DynamicsOptions& o) { o.friction_per_ps = -1; }).find("friction") !=
          std::string::npos);
    CHECK(refusal([](DynamicsOptions& o) { o.temperatures_kelvin = {0}; }).find("above 0 K") !=
          std::string::npos);
    CHECK(refusal([](DynamicsOptions& o) { o.temperatures_kelvin = {}; }).find("none") !=
          std::string::npos);
    CHECK(refusal([](DynamicsOptions& o) { o.backend = Backend::cuda; }).find("cuda") !=
          std::string::npos);
    CHECK(error_message([&] { EnergyEngine(system, Backend::cuda); }).find("cuda") !=
          std::string::npos);
  }
}

TEST_SUITE("statistical") {
  TEST_CASE("without friction the energy of alanine dipeptide does not drift") {
    struct Size {
      int replicas, samples;
      std::int64_t steps;
      double largest_error;  // kT a nanosecond and degree of freedom
    };
    // Kinetic energy half a step off shifts the mean, but by the same at any time.
    const auto mean_energy = [](Dynamics& dynamics, int samples) {
      std::vector<double> mean(static_cast<std::size_t>(dynamics.replica_count()));
      for (int sample = 0; sample < samples; ++sample) {
        dynamics.run(7);
        const auto potential = dynamics.potential_energy_kj_mol();
        const auto kinetic = dynamics.kinetic_energy_kj_mol();
        for (std::size_t r = 0; r < mean.size(); ++r)
          mean[r] += (potential[r] + kinetic[r]) / samples;
      }
      return mean;
    };
    const System system = alanine_dipeptide();
    for (const Backend backend : backends_here()) {
      const Size size = backend == Backend::reference ? Size{12, 100, 10000, 0.1}  // it is slow
                                                      : Size{16, 100, 60000, 0.01};
      for (const double timestep_ps : {0.0005, 0.001}) {
        CAPTURE(std::string(name_of(backend)));
        CAPTURE(timestep_ps);
        Dynamics warm(system, options_for(Backend::cpu, size.replicas), alanine_positions());
        warm.run(5000);
        DynamicsOptions options = options_for(backend, size.replicas);
        options.friction_per_ps = 0;
        options.timestep_ps = timestep_ps;
        Dynamics dynamics(system, options, alanine_positions());
        dynamics.restore(warm.state());
        std::vector<double> drift = mean_energy(dynamics, size.samples);
        dynamics.run(size.steps);
        const std::vector<double> after = mean_energy(dynamics, size.samples);
        const double nanoseconds =
            static_cast<double>(size.steps + 7 * size.samples) * timestep_ps * 1e-3;
        for (std::size_t r = 0; r < drift.size(); ++r)
          drift[r] = (after[r] - drift[r]) / thermal_energy(300) / nanoseconds / 66;
        check_estimate(drift, 0, size.largest_error);
      }
    }
  }

  TEST_CASE("velocities start with the Maxwell-Boltzmann energy") {
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      const Dynamics dynamics(oscillator(), options_for(backend, 4096, 500),
                              std::vector<double>{0, 0, 0, 0.1, 0, 0});
      check_estimate(dynamics.kinetic_energy_kj_mol(), 3 * thermal_energy(500),
                     0.02 * 3 * thermal_energy(500));
    }
  }

  TEST_CASE("an oscillator has variance RT/k and kinetic energy 3 RT even at omega dt = 1") {
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      DynamicsOptions options = options_for(backend, 64);
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
            const double x = state.positions_nm[6 * r + 3 + k] - state.positions_nm[6 * r + k];
            square[r] += x * x / (3 * kSamples);
          }
          kinetic[r] += energy[r] / kSamples;
        }
      }
      check_estimate(square, thermal_energy(300) / kSpring, 0.005 * thermal_energy(300) / kSpring);
      check_estimate(kinetic, 3 * thermal_energy(300), 0.005 * 3 * thermal_energy(300));
    }
  }
}

}  // namespace arbg::md
