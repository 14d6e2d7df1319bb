// How long do the placement energies of a conformation take, all its curves, against what the
// multipliers of one core can do? Twice: of dihedrals, and of angles.
//
// Usage: arbg_bench_placement SEQUENCE FORCEFIELD [BINS] [OPTIONS]. One core, processor time,
// median of many turns, on a shaken ideal conformation, shift_and_cap() included. The roof:
// independent fused multiply-adds on registers (one_core.h). Columns of dihedrals: all
// curves; the time of one placed atom and one vector of candidates, as if every bin were evaluated;
// how many vector instructions the roof has in that time; how many those of a pair are (bonded
// terms are not counted); how many times as fast as the reference. Of angles, where pairs have no
// part: the first and the last. Last, what a conformation takes from coordinates to positions and
// log volume, by the coordinate map. Takes five seconds.
//
// With --backend cuda [--batch 512] [--seconds 1]: all curves of a batch of different conformations
// on the device, as training asks for them: atoms placed from coordinates, curves shifted and
// capped, 16 means of each. By the wall clock, median of five turns. Columns: a conformation in
// all; of it, the placing of atoms; pairs and bins a second; instructions of pairs
// (md/placement/placement_cuda.cu), as a share of the rate of an H100 (SXM).
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/bench/one_core.h"
#include "md/coordinates/coordinate_map.h"
#include "md/forcefields/forcefield.h"
#include "md/placement/placement.h"
#include "md/placement/placement_device.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/simd.h"
#include "tensor/device/device_array.h"

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

struct Peptide {
  Topology topology;
  System system;
  std::unique_ptr<CoordinateMap> map;

  Peptide(const char* sequence, const char* force_field)
      : topology(Topology::from_sequence(sequence)),
        system(ForceField::named(force_field).create_system(topology)),
        map(make_internal_map(topology, system, kTemperature)) {}

  // The ideal conformation, shaken.
  std::vector<double> coordinates(std::uint64_t row) const {
    std::vector<double> z(static_cast<std::size_t>(map->size()));
    const arbg::Random random(3, 1 + row);
    map->encode(ideal_geometry(topology, system), z, random, 0);
    for (std::size_t j = 0; j < z.size(); ++j)
      z[j] += (map->coordinates()[j].kind == 0 ? 0.002 : 0.1) * random.normal_pair(j)[0];
    return z;
  }
};

void measure(const char* sequence, const char* force_field, std::int64_t bins) {
  const Peptide peptide(sequence, force_field);
  const Topology& topology = peptide.topology;
  const System& system = peptide.system;
  const auto& map = peptide.map;
  const std::vector<double> z = peptide.coordinates(0);
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
  double log_volume = 0;
  const double mapped = seconds_of([&] {
    map->decode(z, x);
    log_volume += map->log_volume(z);
  });
  std::printf("| coordinate map | %.2f us |%s\n", 1e6 * mapped,
              std::isfinite(log_volume) ? "" : " not finite");
}

struct DeviceOptions {
  std::size_t batch = 512;
  double seconds = 1;
};

// Seconds of one of many calls, by the wall clock; wait() until the device has done them.
double device_seconds(const std::function<void()>& ask, const std::function<void()>& wait,
                      double turn_s) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [&](int calls) {
    const auto before = Clock::now();
    for (int k = 0; k < calls; ++k) ask();
    wait();
    return std::chrono::duration<double>(Clock::now() - before).count();
  };
  seconds(1);
  int calls = 1;
  while (seconds(calls) < turn_s) calls *= 2;
  std::vector<double> turns;
  for (int turn = 0; turn < 5; ++turn) turns.push_back(seconds(calls) / calls);
  std::ranges::sort(turns);
  return turns[2];
}

void measure_device(const char* sequence, const char* force_field, std::int64_t bins,
                    const DeviceOptions& options) {
  constexpr arbg::tensor::Device kDevice{arbg::Backend::cuda};
  constexpr std::size_t kMeans = 16;
  constexpr double kInstructions = 40, kCardInstructions = 30e12;
  const Peptide peptide(sequence, force_field);
  const auto K = static_cast<std::size_t>(peptide.map->size());
  const std::size_t N = peptide.topology.atoms.size(), B = options.batch;
  std::vector<double> z;
  for (std::size_t row = 0; row < B; ++row) {
    const auto own = peptide.coordinates(row);
    z.insert(z.end(), own.begin(), own.end());
  }
  std::vector<std::int32_t> with_curve;
  for (int j = 0; j < peptide.map->size(); ++j)
    if (has_placement_curve(*peptide.map, j)) with_curve.push_back(j);
  const std::size_t energies = kPlacementComponents * static_cast<std::size_t>(bins);
  using namespace arbg::tensor;
  const DeviceArray<double> rows(std::span<const double>(z), kDevice);
  const DeviceArray<std::int32_t> coordinates(std::span<const std::int32_t>(with_curve), kDevice);
  DeviceArray<double> positions(B * 3 * N, kDevice);
  DeviceArray<float> u(B * with_curve.size() * energies, kDevice), means(B * K * kMeans, kDevice);
  const auto radii = placement_born_radii(peptide.topology, peptide.system);
  const DevicePlacement placement(
      Placement(peptide.system, *peptide.map, kTemperature, bins, radii), *peptide.map, {},
      std::vector<float>(kMeans * static_cast<std::size_t>(bins), 0.5f));
  const DeviceCoordinates from{on_device(rows), std::ssize(z) / static_cast<std::ptrdiff_t>(B), 1};
  const auto place = [&] {
    placement.place_atoms(from, peptide.map->size(), on_device(positions));
  };
  DeviceCurves out;
  out.u = on_device(u);
  out.means = on_device(means);
  out.n = peptide.map->size();
  const auto all = [&] {
    place();
    placement.curves(from, on_device(std::as_const(positions)), on_device(coordinates), out);
  };
  const auto wait = [&] {
    double one = 0;
    positions.buffer().download(0, std::as_writable_bytes(std::span(&one, 1)));
  };
  const double batch = static_cast<double>(B), atoms = static_cast<double>(N);
  const double of_places = device_seconds(place, wait, options.seconds) / batch,
               of_all = device_seconds(all, wait, options.seconds) / batch;
  const double pairs = (atoms * (atoms - 1) / 2 - 3) * static_cast<double>(bins);
  std::printf("| %s, %zu curves of %ld bins, batch %zu | %.2f us | %.2f us | %.3g | %.1f %% |\n",
              sequence, with_curve.size(), static_cast<long>(bins), B, 1e6 * of_all,
              1e6 * of_places, pairs / of_all,
              100 * kInstructions * pairs / of_all / kCardInstructions);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  std::vector<std::string> names;
  DeviceOptions options;
  bool on_device = false, known = true;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool has_value = i + 1 < words.size();
    if (!words[i].starts_with("--"))
      names.push_back(words[i]);
    else if (words[i] == "--backend" && has_value && words[i + 1] == "cuda")
      on_device = true, ++i;
    else if (words[i] == "--batch" && has_value)
      options.batch = static_cast<std::size_t>(std::atoi(words[++i].c_str()));
    else if (words[i] == "--seconds" && has_value)
      options.seconds = std::atof(words[++i].c_str());
    else
      known = false;
  }
  if (!known || names.size() < 2 || names.size() > 3 || options.batch < 1) {
    std::fputs(
        "Usage: arbg_bench_placement SEQUENCE FORCEFIELD [BINS] [--backend cuda] [--batch ROWS] "
        "[--seconds S]\n",
        stderr);
    return 2;
  }
  try {
    const std::int64_t bins = names.size() > 2 ? std::atol(names[2].c_str()) : 256;
    if (on_device)
      measure_device(names[0].c_str(), names[1].c_str(), bins, options);
    else
      measure(names[0].c_str(), names[1].c_str(), bins);
  } catch (const arbg::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
