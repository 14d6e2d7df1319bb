// How long do the placement energies of a conformation take, all its curves, against what the
// multipliers of one core can do? Twice: of dihedrals, and of angles.
//
// Usage: arbg_bench_placement SEQUENCE FORCEFIELD [BINS]. One core, processor time, median of many
// turns, on a shaken ideal conformation, shift_and_cap() included. The roof:
// independent fused multiply-adds on registers (one_core.h). Columns of dihedrals: all
// curves; the time of one placed atom and one vector of candidates, as if every bin were evaluated;
// how many vector instructions the roof has in that time; how many those of a pair are (bonded
// terms are not counted); how many times as fast as the reference. Of angles, where pairs have no
// part: the first and the last. Takes five seconds.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "apps/bench/one_core.h"
#include "md/coordinates/coordinate_map.h"
#include "md/forcefields/forcefield.h"
#include "md/placement/placement.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/simd.h"

namespace {

using arbg::kLaneCount;
using arbg::bench::processor_seconds;
using namespace arbg::md;

constexpr double kTemperature = 300;

// Vector instructions of a pair as the source has them, a multiply-add as one: distance and its
// floor, inverse root, Lennard-Jones, Coulomb; in the solvent the exponential and a second root.
constexpr int kRoot = 11, kExponential = 15;
constexpr int kPlain = 2 + 2 + kRoot + 8, kPlainCutoff = 5;
constexpr int kSolvent = kExponential + 1 + kRoot + 1, kSolventCutoff = 3;

// Seconds of one call: the median of 31 turns of some milliseconds.
double seconds_of(const std::function<void()>& body) {
  constexpr int kTurns = 31;
  constexpr double kTurn_s = 4e-3;
  int calls = 0;
  const double start = processor_seconds();
  while (processor_seconds() - start < kTurn_s) body(), ++calls;
  std::vector<double> turns;
  for (int turn = 0; turn < kTurns; ++turn) {
    const double before = processor_seconds();
    for (int k = 0; k < calls; ++k) body();
    turns.push_back((processor_seconds() - before) / calls);
  }
  std::ranges::nth_element(turns, turns.begin() + kTurns / 2);
  return turns[kTurns / 2];
}

void measure(const char* sequence, const char* force_field, std::int64_t bins) {
  const Topology topology = Topology::from_sequence(sequence);
  const System system = ForceField::named(force_field).create_system(topology);
  const auto map = make_internal_map(topology, system, kTemperature);
  std::vector<double> z(static_cast<std::size_t>(map->size()));
  const arbg::Random random(3, 1);
  map->encode(ideal_geometry(topology, system), z, random, 0);
  for (std::size_t j = 0; j < z.size(); ++j)
    z[j] += (map->coordinates()[j].kind == 0 ? 0.002 : 0.1) * random.normal_pair(j)[0];
  std::vector<double> x(3 * topology.atoms.size());
  map->decode(z, x);

  const auto energies = static_cast<std::size_t>(kPlacementComponents * bins);
  std::vector<float> u(energies);
  std::vector<double> truth(energies);
  // Of one kind: 1 for angles, 2 for dihedrals.
  const auto all_curves = [&](const Placement& placement, int kind, const auto& of_one) {
    for (int j = 0; j < map->size(); ++j) {
      const auto at = static_cast<std::size_t>(j);
      if (map->coordinates()[at].kind == kind && placement.has_curve(j))
        of_one(j, std::span<const double>(z).subspan(at / 3 * 3, at % 3));
    }
  };
  const auto seconds_of_curves = [&](const Placement& placement, int kind) {
    const double lanes = seconds_of([&] {
      all_curves(placement, kind, [&](int j, std::span<const double> own) {
        placement.lanes(j, x, own, u);
        shift_and_cap(std::span(u));
      });
    });
    const double reference = seconds_of([&] {
      all_curves(placement, kind, [&](int j, std::span<const double> own) {
        placement.reference(j, x, own, truth);
      });
    });
    return std::pair(lanes, reference);
  };
  const double roof = arbg::bench::multiply_add_roof(seconds_of);
  const double atoms = topology.atom_count(), pairs = atoms * (atoms - 1) / 2 - 3;
  const double vectors = pairs * static_cast<double>(bins) / kLaneCount<float>;
  std::printf("%s, %s: %.0f curves of %ld bins, %.0f pairs\n", sequence, force_field, atoms - 3,
              static_cast<long>(bins), pairs);
  for (const bool solvent : {false, true}) {
    const Placement placement(
        system, *map, kTemperature, bins,
        solvent ? placement_born_radii(topology, system) : std::vector<double>{});
    const auto [lanes, reference] = seconds_of_curves(placement, 2);
    int least = kPlain + (system.cutoff_nm > 0 ? kPlainCutoff : 0);
    if (solvent) least += kSolvent + (system.cutoff_nm > 0 ? kSolventCutoff : 0);
    std::printf("| %s | %.1f us | %.2f ns | %.1f | %d | %.0f x |\n", solvent ? "solvent" : "vacuum",
                1e6 * lanes, 1e9 * lanes / vectors, lanes / vectors * roof, least,
                reference / lanes);
  }
  const Placement placement(system, *map, kTemperature, bins, {});
  const auto [lanes, reference] = seconds_of_curves(placement, 1);
  std::printf("| angles | %.1f us | %.0f x |\n", 1e6 * lanes, reference / lanes);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    std::fputs("Usage: arbg_bench_placement SEQUENCE FORCEFIELD [BINS]\n", stderr);
    return 2;
  }
  try {
    measure(argv[1], argv[2], argc > 3 ? std::atol(argv[3]) : 256);
  } catch (const arbg::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
