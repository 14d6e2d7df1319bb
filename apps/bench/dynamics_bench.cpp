// How fast is one step of dynamics, against what the multipliers of one core, or of a card, can do,
// and where does its time go?
//
// Usage: arbg_bench_dynamics PDB FORCEFIELD. One core, one group of replicas in float32, processor
// time; every part is timed by itself on the same conformations, best of many runs. The roof:
// independent fused multiply-adds on registers (one_core.h), two operations each. Takes
// about ten seconds.
//
// arbg_bench_dynamics PDB FORCEFIELD --backend cuda --replicas N. Whole steps of N replicas by the
// wall clock, the median of five turns of a second or more; all threads of the host if the backend
// is cpu. The roof: the float32 rate of an H100 (SXM).
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <numbers>
#include <span>
#include <string_view>
#include <vector>

#include "apps/bench/one_core.h"
#include "md/dynamics/dynamics.h"
#include "md/energy/lane_energy.h"
#include "md/files/pdb.h"
#include "md/forcefields/forcefield.h"
#include "md/terms/device_tables.h"
#include "tensor/base/error.h"
#include "tensor/device/available.h"

namespace {

using arbg::kLaneCount;
using arbg::Lanes;
using arbg::bench::processor_seconds;
using namespace arbg::md;

// Seconds of one call: the best of runs of `calls`, repeated for a second.
double best_seconds(int calls, const std::function<void()>& body) {
  double best = 1e30;
  const double start = processor_seconds();
  do {
    const double before = processor_seconds();
    for (int k = 0; k < calls; ++k) body();
    best = std::min(best, (processor_seconds() - before) / calls);
  } while (processor_seconds() - start < 1);
  return best;
}

// Operations a second: a multiply-add is two.
double measured_roof() {
  return 2.0 * kLaneCount<float> *
         arbg::bench::multiply_add_roof(
             [](const std::function<void()>& body) { return best_seconds(1, body); });
}

// Arithmetic of one pair as the source has it, no cutoff: a sum, product, quotient, root,
// comparison, selection or conversion is one, a multiply-add two. Most pairs are far apart:
// far_descreening.
constexpr int kSeries = 30, kExponential = 38;
constexpr int kDescreen = 3 + 5 + 1 + 2 * kSeries + 1 + 2;  // d, r^2, 1/r^2, series, near?, sums
constexpr int kPlain = 17;                                  // Lennard-Jones and Coulomb
constexpr int kBorn = 3 + kExponential + 5 + 3 + 4 + 4 + 3 + 2;  // exponent, 1/f, E, dE/dB, dE/dr
constexpr int kPairLoop = 3 + 5 + kPlain + kBorn + 9;            // d, r^2, forces on both
constexpr int kChain = 3 + 3 + 9;
constexpr int kPairOperations = kDescreen + kPairLoop + kChain;

// The same of a pair as a device has it, seen from one side (md/energy/block_energy.cuh): 77 for
// the integral and its direction, 59 for forces and dE/dB, and for the forces through the radii 15,
// or 70 where slopes are not kept; a logarithm is 20, the device's own reciprocal, root and
// exponential are one or two. Every pair is seen from both sides.
double device_operations(double atoms) {
  return (77 + 59 + (atoms <= kMostKeepingSlopes ? 15 : 70)) * atoms * (atoms - 1);
}
constexpr double kCardOperations = 67e12;  // a second, of an H100 (SXM)

struct Part {
  const char* name;
  double seconds;
};

template <bool kCutoff>
void measure(const System& system, std::span<const double> start, double roof) {
  const auto atoms = static_cast<std::size_t>(system.atom_count());
  DynamicsOptions options;
  options.temperatures_kelvin.assign(kLaneCount<float>, 300);
  Dynamics dynamics(system, options, start);
  dynamics.run(2000);  // sixteen different conformations at 300 K
  const DynamicsState state = dynamics.state();
  std::vector<LaneVector<float>> x(atoms), force(atoms);
  for (std::size_t lane = 0; lane < kLaneCount<float>; ++lane) {
    for (std::size_t a = 0; a < atoms; ++a) {
      const auto from = std::span(state.positions_nm).subspan(3 * (lane * atoms + a), 3);
      x[a].x[lane] = static_cast<float>(from[0]);
      x[a].y[lane] = static_cast<float>(from[1]);
      x[a].z[lane] = static_cast<float>(from[2]);
    }
  }
  const LaneEnergy<float> energy(system);
  LaneEnergy<float>::Scratch scratch;
  energy.fit(scratch);
  const auto bonds = lane_bonds<float>(system);
  const auto angles = lane_angles<float>(system);
  const auto torsions = lane_torsions<float>(system);
  const auto pairs = lane_pairs<float>(system);
  const auto born = lane_born<float>(system, pairs);
  auto* const scratch_atoms = scratch.atoms.data();
  auto* const scratch_pairs = scratch.pairs.data();
  Lanes<float> sink{};

  const int calls = static_cast<int>(200000 / pairs.pairs.size()) + 1;
  const double whole_step = best_seconds(1, [&] { dynamics.run(calls); }) / calls;
  const double whole_energy = best_seconds(calls, [&] {
    const auto terms = energy.evaluate(x.data(), force.data(), scratch);
    sink += terms.value[3];
  });
  std::vector<Part> parts;
  const auto time = [&](const char* name, const std::function<void()>& body) {
    parts.push_back({name, best_seconds(calls, body)});
  };
  time("bonds", [&] { sink += harmonic_bonds(bonds, x.data(), force.data()); });
  time("angles", [&] { sink += harmonic_angles(angles, x.data(), force.data()); });
  time("torsions", [&] { sink += periodic_torsions(torsions, x.data(), force.data()); });
  time("Born radii: descreening of pairs",
       [&] { descreen<kCutoff>(born, pairs, x.data(), scratch_atoms, scratch_pairs); });
  time("Born radii: atoms", [&] {
    sink += born_radii(born, scratch_atoms);
    integral_slopes(born, scratch_atoms);
  });
  time("Born radii: forces of pairs",
       [&] { chain(pairs, x.data(), scratch_atoms, scratch_pairs, force.data()); });
  double known = 0;
  for (const Part& part : parts) known += part.seconds;
  parts.push_back(
      {"Lennard-Jones, Coulomb, Born energy of pairs (the rest)", whole_energy - known});
  parts.push_back({"integrator and its random numbers (the rest)", whole_step - whole_energy});

  const double pair_count = static_cast<double>(pairs.pairs.size()) * kLaneCount<float>;
  const double pair_seconds = parts[3].seconds + parts[5].seconds + parts[6].seconds;
  std::printf("%zu atoms, %zu pairs, %d replicas: %.4g replica-steps/s\n", atoms,
              pairs.pairs.size(), kLaneCount<float>, kLaneCount<float> / whole_step);
  std::printf("pair interactions/s: %.4g in the three passes over pairs, %.4g of whole steps\n",
              pair_count / pair_seconds, pair_count / whole_step);
  std::printf("operations a pair: %d; %.1f GFLOP/s in the passes, %.0f %% of the roof of %.1f\n\n",
              kPairOperations, kPairOperations * pair_count / pair_seconds * 1e-9,
              100 * kPairOperations * pair_count / pair_seconds / roof, roof * 1e-9);
  for (const Part& part : parts) {
    std::printf("| %s | %.2f us | %.1f %% |\n", part.name, 1e6 * part.seconds,
                100 * part.seconds / whole_step);
  }
  if (sink[0] == 0.125f) std::puts("");  // so that no part is left out
}

// Steps a second of all replicas together: the median of five turns.
double whole_steps(const System& system, std::span<const double> start, arbg::Backend backend,
                   std::size_t replicas) {
  using Clock = std::chrono::steady_clock;
  DynamicsOptions options;
  options.temperatures_kelvin.assign(replicas, 300);
  options.backend = backend;
  std::vector<double> x;
  for (std::size_t r = 0; r < replicas; ++r) x.insert(x.end(), start.begin(), start.end());
  const auto integrator = make_integrator(system, options);
  integrator->set(x, std::vector<double>(x.size()));
  std::int64_t step = 0;
  const auto seconds_of = [&](std::int64_t steps) {
    const auto before = Clock::now();
    integrator->run(step, steps);
    step += steps;
    const double waited_for = integrator->positions_nm()[0];
    arbg::require(std::isfinite(waited_for), "a replica blew up");
    return std::chrono::duration<double>(Clock::now() - before).count();
  };
  std::int64_t steps = 100;
  seconds_of(steps);
  while (seconds_of(steps) < 1) steps *= 2;
  std::vector<double> rates;
  for (int turn = 0; turn < 5; ++turn)
    rates.push_back(static_cast<double>(steps) * static_cast<double>(replicas) / seconds_of(steps));
  std::ranges::sort(rates);
  return rates[2];
}

void measure_backend(const System& system, std::span<const double> start, arbg::Backend backend,
                     std::size_t replicas) {
  const double rate = whole_steps(system, start, backend, replicas);
  const double atoms = system.atom_count(), operations = device_operations(atoms);
  constexpr double kTimestepNs = 1e-6;
  std::printf("%s, %zu replicas of %.0f atoms: %.4g replica-steps/s, %.4g ns/day at 1 fs\n",
              arbg::tensor::device_name({backend}).c_str(), replicas, atoms, rate,
              rate * kTimestepNs * 86400);
  std::printf("pair interactions/s: %.4g\n", rate * atoms * (atoms - 1) / 2);
  if (backend != arbg::Backend::cuda) return;
  std::printf("operations a step, of pairs: %.4g; %.3g TFLOP/s, %.1f %% of the %.0f of an H100\n",
              operations, operations * rate * 1e-12, 100 * operations * rate / kCardOperations,
              kCardOperations * 1e-12);
  std::printf("at that rate: %.4g replica-steps/s\n", kCardOperations / operations);
  std::printf("| arbg cuda | %.0f | %zu | %.4g | %.4g | %.1f %% |\n", atoms, replicas, rate,
              rate * kTimestepNs * 86400, 100 * operations * rate / kCardOperations);
}

}  // namespace

int main(int argc, char** argv) {
  const bool whole = argc == 7 && std::string_view(argv[3]) == "--backend" &&
                     std::string_view(argv[5]) == "--replicas" && std::atoi(argv[6]) > 0;
  if (argc != 3 && !whole) {
    std::fputs("Usage: arbg_bench_dynamics PDB FORCEFIELD [--backend NAME --replicas N]\n", stderr);
    return 2;
  }
  try {
    const Pdb pdb = read_pdb(argv[1]);
    const System system = ForceField::named(argv[2]).create_system(pdb.topology);
    std::vector<double> start = pdb.positions_nm;
    start.resize(3 * pdb.topology.atoms.size());
    minimize(EnergyEngine(system), start);
    if (whole) {
      measure_backend(system, start, arbg::backend_named(argv[4]),
                      static_cast<std::size_t>(std::atoi(argv[6])));
      return 0;
    }
    const double roof = measured_roof();
    if (system.cutoff_nm > 0)
      measure<true>(system, start, roof);
    else
      measure<false>(system, start, roof);
  } catch (const arbg::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
