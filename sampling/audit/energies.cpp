#include "sampling/audit/energies.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "md/molecule/units.h"
#include "sampling/audit/coordinates.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"

namespace arbg::sampling {
namespace {

using Pair = std::pair<int, int>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string conformations(std::size_t count) { return std::to_string(count) + " conformations"; }

// AMBER's rule: atoms three bonds apart by the shortest way interact with 1/1.2 of their Coulomb
// and half of their Lennard-Jones energy, nearer ones not at all.
Check pairs_1_4(const md::Topology& topology, const md::System& system) {
  constexpr double kCoulombScale = 1 / 1.2, kLennardJonesScale = 0.5;
  std::map<Pair, int> bonds_apart;
  const auto neighbours = topology.neighbours();
  for (int i = 0; i < topology.atom_count(); ++i) {
    std::map<int, int> seen{{i, 0}};
    std::vector<int> shell{i};
    for (int apart = 1; apart <= 3; ++apart) {
      std::vector<int> next;
      for (const int a : shell)
        for (const int b : neighbours[static_cast<std::size_t>(a)])
          if (seen.emplace(b, apart).second) next.push_back(b);
      shell = next;
    }
    for (const auto& [j, apart] : seen)
      if (i < j) bonds_apart[{i, j}] = apart;
  }
  double largest = system.exclusions.size() == bonds_apart.size() ? 0 : kInfinity;
  std::size_t expected = 0;
  for (const auto& [pair, apart] : bonds_apart) expected += apart == 3;
  if (system.scaled_pairs.size() != expected) largest = kInfinity;
  for (const auto& excluded : system.exclusions)
    if (!bonds_apart.contains(excluded)) largest = kInfinity;
  for (const md::ScaledPair& pair : system.scaled_pairs) {
    const auto found = bonds_apart.find(std::minmax(pair.i, pair.j));
    if (found == bonds_apart.end() || found->second != 3) largest = kInfinity;
    const auto &a = system.nonbonded[static_cast<std::size_t>(pair.i)],
               &b = system.nonbonded[static_cast<std::size_t>(pair.j)];
    const double charges = kCoulombScale * a.charge_e * b.charge_e,
                 depth = kLennardJonesScale * std::sqrt(a.epsilon_kj_mol * b.epsilon_kj_mol);
    largest = worse(largest, std::abs(pair.charge_product_e2 - charges));
    largest = worse(largest, std::abs(pair.epsilon_kj_mol - depth));
  }
  return judged("1-4 pairs: scaled by 1/1.2 and 1/2, each once", largest, 1e-6,
                std::to_string(expected) + " pairs three bonds apart; e^2 and kJ/mol");
}

std::vector<double> moved(std::span<const double> x, std::size_t frame, std::uint64_t seed) {
  const Random random(seed, stream_id(streams::kAuditMotion));
  std::vector<double> out(x.begin(), x.end());
  for (std::size_t i = 0; i < x.size() / frame; ++i) {
    // Turned about each axis in turn, then shifted.
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double angle = 6.283 * random.uniform(6 * i + axis),
                   shift = 4 * random.uniform(6 * i + 3 + axis) - 2;
      const std::size_t p = (axis + 1) % 3, q = (axis + 2) % 3;
      for (std::size_t a = i * frame; a < (i + 1) * frame; a += 3) {
        const double u = out[a + p], v = out[a + q];
        out[a + p] = std::cos(angle) * u - std::sin(angle) * v;
        out[a + q] = std::sin(angle) * u + std::cos(angle) * v;
        out[a + axis] += shift;
      }
    }
  }
  return out;
}

std::vector<double> mirrored(std::span<const double> x) {
  std::vector<double> out(x.begin(), x.end());
  for (std::size_t i = 2; i < out.size(); i += 3) out[i] = -out[i];
  return out;
}

// |a - b| over 1 kJ/mol plus the size of the terms that it is a sum of.
double relative(double a, double b, std::span<const double> terms) {
  double scale = 1;
  for (const double term : terms) scale += std::abs(term);
  return std::abs(a - b) / scale;
}

// -F . d against central differences of the reference's energy along random directions d, over |F|.
double force_error(const md::EnergyEngine& reference, std::span<const double> x,
                   std::span<const double> forces, std::size_t frame) {
  constexpr double kStep = 2e-6;  // nm
  const Random random(3, stream_id(streams::kAuditDirection));
  std::vector<double> ends, slopes, norms;
  for (std::size_t i = 0; i < x.size() / frame; ++i) {
    std::vector<double> plus(x.begin() + static_cast<std::ptrdiff_t>(i * frame),
                             x.begin() + static_cast<std::ptrdiff_t>((i + 1) * frame)),
        less = plus;
    double slope = 0, norm = 0;
    for (std::size_t k = 0; k < frame; ++k) {
      const double d = random.normal_pair(i * frame + k)[0], force = forces[i * frame + k];
      plus[k] += kStep * d;
      less[k] -= kStep * d;
      slope -= force * d;
      norm += force * force;
    }
    ends.insert(ends.end(), plus.begin(), plus.end());
    ends.insert(ends.end(), less.begin(), less.end());
    slopes.push_back(slope);
    norms.push_back(std::sqrt(norm));
  }
  const auto energy = reference.evaluate(ends, false).energy_kj_mol;
  double largest = 0;
  for (std::size_t i = 0; i < slopes.size(); ++i) {
    const double difference = (energy[2 * i] - energy[2 * i + 1]) / (2 * kStep);
    largest = worse(largest, std::abs(difference - slopes[i]) / (norms[i] + 1));
  }
  return largest;
}

}  // namespace

std::vector<Check> audit_energies(const md::Topology& topology, const Target& target,
                                  std::span<const double> x) {
  const auto& system = target.energy().system();
  const std::size_t frame = static_cast<std::size_t>(system.atom_count()) * 3,
                    count = x.size() / frame;
  const md::EnergyEngine reference(system, Backend::reference), lanes(system, Backend::cpu);
  const auto slow = reference.evaluate(x, false), fast = lanes.evaluate(x, true),
             elsewhere = lanes.evaluate(moved(x, frame, 5), false),
             mirror = lanes.evaluate(mirrored(x), false);
  double backends = 0, sums = 0, motion = 0, mirroring = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto terms = std::span(slow.terms_kj_mol).subspan(i * md::kTermCount, md::kTermCount);
    double sum_slow = 0, sum_fast = 0;
    for (std::size_t k = 0; k < terms.size(); ++k) {
      sum_slow += terms[k];
      sum_fast += fast.terms_kj_mol[i * md::kTermCount + k];
    }
    const double fast_energy = fast.energy_kj_mol[i];
    backends = worse(backends, relative(fast_energy, slow.energy_kj_mol[i], terms));
    sums = worse(sums, relative(fast_energy, sum_fast, terms));
    sums = worse(sums, relative(slow.energy_kj_mol[i], sum_slow, terms));
    motion = worse(motion, relative(fast_energy, elsewhere.energy_kj_mol[i], terms));
    mirroring = worse(mirroring, relative(fast_energy, mirror.energy_kj_mol[i], terms));
  }
  return {pairs_1_4(topology, system),
          judged("energies in lanes against plain loops, relative", backends, 1e-10,
                 conformations(count)),
          judged("energies against the sum of their terms, relative", sums, 1e-13,
                 "in lanes and in plain loops"),
          judged("forces against energy differences, relative",
                 force_error(reference, x, fast.forces_kj_mol_nm, frame), 1e-5,
                 "along a random direction of all atoms each; of plain loops"),
          judged("energies after rotation and translation, relative", motion, 1e-10,
                 conformations(count)),
          judged("energies of mirror images, relative", mirroring, 1e-10,
                 "the same as of the conformations")};
}

std::vector<Check> audit_symmetry(const md::Topology& topology, const Generator& generator,
                                  const Target& target, std::span<const double> x) {
  const auto& map = generator.map();
  const std::size_t frame = static_cast<std::size_t>(map.atom_count()) * 3,
                    count = x.size() / frame, K = static_cast<std::size_t>(map.size());
  std::vector<Check> out;
  if (map.invariant_to_motion()) {
    // Through encode(), as conformations from elsewhere come in.
    const auto here = generator.encode(x, 1), there = generator.encode(moved(x, frame, 6), 1);
    const auto q_here = generator.log_density(here.coordinates),
               q_there = generator.log_density(there.coordinates);
    const auto cells_here = cells_of(generator.bins(), here.coordinates),
               cells_there = cells_of(generator.bins(), there.coordinates);
    const Ruler ruler(map);
    double largest = 0, of_q = 0;
    std::size_t seam = 0;
    for (std::size_t i = 0; i < count; ++i) {
      largest = worse(largest, std::abs(here.log_volume[i] - there.log_volume[i]));
      const auto row = std::span(cells_here).subspan(i * K, K),
                 other = std::span(cells_there).subspan(i * K, K);
      if (!std::ranges::equal(row, other)) {
        // Only a coordinate on the edge of a cell may change it.
        const auto z = ruler.measure(x.subspan(i * frame, frame));
        ++seam;
        for (std::size_t j = 0; j < K; ++j)
          largest = worse(
              largest,
              distance_from_cell(generator.bins(), static_cast<std::int64_t>(j), z[j], other[j]));
        continue;
      }
      if (q_here[i] != q_there[i]) of_q = worse(of_q, std::abs(q_here[i] - q_there[i]));
    }
    const std::string note = conformations(count) + ", " + std::to_string(seam) +
                             " with a coordinate on the edge of a cell";
    // What a motion leaves of the last bits of z can be a last bit of placement energies in
    // float32.
    const bool single =
        generator.head().placement() && generator.network().backend() != nn::Backend::reference;
    if (single) {
      out.push_back(judged("volume factor after rotation and translation", largest, 1e-9, note));
      out.push_back(judged("log q after rotation and translation, placement energies in float32",
                           of_q, 5e-6 * static_cast<double>(K), note));
    } else {
      out.push_back(judged("log q and volume factor after rotation and translation",
                           worse(largest, of_q), 1e-9, note));
    }
  }
  // Without a side chain (glycine, caps) the mirror image is as good as the conformation itself.
  const auto mirror = mirrored(x);
  bool chiral = false;
  for (int r = 0; r < static_cast<int>(topology.residues.size()); ++r)
    chiral = chiral || (topology.find(r, "CA") >= 0 && topology.find(r, "CB") >= 0);
  if (!chiral) return out;
  const auto u = target.reduced_energy(mirror);
  const auto weighing = std::ranges::count_if(u, [](double v) { return v < kInfinity; });
  out.push_back(judged("mirror images that weigh something", static_cast<double>(weighing), 0,
                       "of " + conformations(count)));
  if (!map.has_mirror_images()) {
    const auto encoded = generator.encode(mirror, 1);
    out.push_back(judged("mirror images inside the support of internal coordinates",
                         static_cast<double>(count) - static_cast<double>(encoded.outside), 0,
                         "of " + conformations(count)));
  }
  return out;
}

}  // namespace arbg::sampling
