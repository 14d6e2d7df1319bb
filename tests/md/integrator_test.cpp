// The integrator of every backend against closed forms, exact means, and the other backends.
#include "md/dynamics/integrator.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "md/molecule/torsion_atoms.h"
#include "md/molecule/units.h"
#include "md/molecule/vector3.h"
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

std::vector<double> part(const std::vector<double>& all, std::size_t replica, std::size_t size) {
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(replica * size);
  return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

// Replicas of alanine dipeptide at 600 K, where they spread over all basins. As all begin alike,
// two ensembles of one length are the same in distribution, however short they are.
struct Ensemble {
  std::vector<double> energies;  // mean over the second half of the steps, of each replica
  std::vector<double> cells;     // replicas by phi and psi at the end, in cells of 60 degrees
};
Ensemble ensemble(Backend backend, int replicas, int steps, std::uint64_t seed) {
  constexpr int kSamples = 20, kCells = 6;
  DynamicsOptions options = options_for(backend, replicas, 600);
  options.seed = seed;
  Dynamics dynamics(alanine_dipeptide(), options, alanine_positions());
  Ensemble out{std::vector<double>(options.temperatures_kelvin.size()),
               std::vector<double>(kCells * kCells)};
  dynamics.run(steps / 2);
  for (int k = 0; k < kSamples; ++k) {
    dynamics.run(steps / 2 / kSamples);
    const std::vector<double> energy = dynamics.potential_energy_kj_mol();
    for (std::size_t r = 0; r < energy.size(); ++r) out.energies[r] += energy[r] / kSamples;
  }
  const DynamicsState state = dynamics.state();
  const BackboneTorsions torsions = backbone_torsions(Topology::from_sequence("Ace-A-Nme"));
  const auto cell = [](const std::array<int, 4>& atoms, std::span<const double> x) {
    const double angle =
        dihedral(at(x, atoms[0]), at(x, atoms[1]), at(x, atoms[2]), at(x, atoms[3]));
    return std::min(kCells - 1, static_cast<int>((angle / std::numbers::pi + 1) / 2 * kCells));
  };
  for (std::size_t r = 0; r < out.energies.size(); ++r) {
    const auto x = std::span(state.positions_nm).subspan(66 * r, 66);
    ++out.cells[static_cast<std::size_t>(kCells * cell(torsions.phi[0], x) +
                                         cell(torsions.psi[0], x))];
  }
  return out;
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
    for (const DynamicsState& end : ends) {
      CHECK(end.step == ends[0].step);
      CHECK(distance(end.positions_nm, ends[0].positions_nm) < 1e-6);
      CHECK(distance(end.velocities_nm_ps, ends[0].velocities_nm_ps) < 5e-5);
    }
  }

  TEST_CASE("replicas shared among integrators move as in one") {
    constexpr std::size_t kAll = 5, kFirst = 2;
    const System system = alanine_dipeptide();
    const std::size_t size = 3 * system.mass_amu.size();
    std::vector<double> x;
    for (std::size_t r = 0; r < kAll; ++r) {
      const auto one = alanine_positions();
      x.insert(x.end(), one.begin(), one.end());
    }
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      const auto end_of = [&](std::size_t first, std::size_t count) {
        DynamicsOptions options = options_for(backend, static_cast<int>(count));
        options.first_replica = first;
        options.all_replicas = kAll;
        const auto integrator = make_integrator(system, options);
        const std::vector<double> start(x.begin(),
                                        x.begin() + static_cast<std::ptrdiff_t>(count * size));
        integrator->set(start, std::vector<double>(start.size()));
        integrator->run(1, 3);
        return integrator->positions_nm();
      };
      std::vector<double> shared = end_of(0, kFirst);
      const std::vector<double> others = end_of(kFirst, kAll - kFirst);
      shared.insert(shared.end(), others.begin(), others.end());
      CHECK(shared == end_of(0, kAll));
    }
  }

  TEST_CASE("a step from rest is along the forces of the reference, in float32 within 1e-5") {
    struct Row {
      const char *force_field, *sequence;
      std::size_t first, last;  // conformations; the minimised ones have no forces to speak of
      double cutoff_nm = 0;
      bool in_vacuum = false;
    };
    for (const Row& row :
         {Row{"amber99sbildn-obc2", "Ace-A-Nme", 1, 24},
          Row{"amber99sbildn-obc2", "Ace-A-Nme", 1, 4, 0.35},
          Row{"amber99sbildn-obc2", "Ace-A-Nme", 1, 4, 0.35, true},
          Row{"amber14-obc1", "AAA", 1, 4, 0, true}, Row{"amber14-obc1", "IKLMNPQ", 1, 4},
          Row{"amber99sbildn-obc2", "Ace-MC-Nme", 0, 6},  // atoms inside others
          Row{"amber14-obc1", "Ace-MC-Nme", 0, 6}}) {
      System system = golden_system(row.force_field, row.sequence);
      if (row.cutoff_nm > 0) system.cutoff_nm = row.cutoff_nm;
      if (row.in_vacuum) system.born_atoms.clear();
      const std::size_t size = 3 * system.mass_amu.size(), replicas = row.last - row.first;
      std::vector<double> x =
          golden_positions(row.force_field, row.sequence, row.first, replicas * size);
      for (double& number : x) number = static_cast<double>(static_cast<float>(number));
      const auto truth = EnergyEngine(system, Backend::reference).evaluate(x, true);
      for (const Backend backend : backends_here()) {
        CAPTURE(std::string(name_of(backend)));
        CAPTURE(std::string(row.sequence));
        DynamicsOptions options = options_for(backend, static_cast<int>(replicas));
        options.friction_per_ps = 0;
        const auto integrator = make_integrator(system, options);
        integrator->set(x, std::vector<double>(x.size()));
        integrator->run(1, 1);  // step 0 would centre them
        std::vector<double> force = integrator->velocities_nm_ps();
        for (std::size_t i = 0; i < force.size(); ++i)
          force[i] *= system.mass_amu[i % size / 3] / options.timestep_ps;
        for (std::size_t r = 0; r < replicas; ++r) {
          CAPTURE(row.first + r);
          CHECK(distance(part(force, r, size), part(truth.forces_kj_mol_nm, r, size)) < 1e-5);
        }
      }
    }
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
    if (is_built(Backend::cuda)) return;
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
      const Size size = backend == Backend::reference ? Size{12, 100, 10000, 0.1}
                        : is_slow(backend)            ? Size{8, 30, 1000, 3}
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

  TEST_CASE("alanine dipeptide has the cpu's mean energy and its distribution of phi and psi") {
    struct Size {
      int replicas, steps;
      double largest_error;  // of the mean energy, kJ/mol
    };
    for (const Backend backend : backends_here()) {
      if (backend == Backend::cpu) continue;
      CAPTURE(std::string(name_of(backend)));
      const Size size = backend == Backend::reference ? Size{32, 2000, 8}
                        : is_slow(backend)            ? Size{16, 400, 12}
                                                      : Size{1024, 5000, 2};
      const Ensemble a = ensemble(backend, size.replicas, size.steps, 1),
                     b = ensemble(Backend::cpu, size.replicas, size.steps, 2);
      std::vector<double> difference(a.energies);
      for (std::size_t r = 0; r < difference.size(); ++r) difference[r] -= b.energies[r];
      check_estimate(difference, 0, size.largest_error);
      double chi2 = 0, freedom = -1;  // of two counts of as many replicas
      for (std::size_t c = 0; c < a.cells.size(); ++c) {
        const double both = a.cells[c] + b.cells[c], apart = a.cells[c] - b.cells[c];
        if (both == 0) continue;
        chi2 += apart * apart / both;
        ++freedom;
      }
      CAPTURE(freedom);
      CHECK(freedom > 0);
      CHECK(chi2 < freedom + 4 * std::sqrt(2 * freedom));
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
