#include "md/dynamics/scramble.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <utility>

#include "md/molecule/vector3.h"
#include "tensor/base/error.h"

namespace arbg::md {

namespace {

constexpr double kScramble_ps = 50, kMostSteps = 1e12;

bool is_cis(std::span<const double> x, const std::array<int, 4>& q) {
  return std::abs(dihedral(at(x, q[0]), at(x, q[1]), at(x, q[2]), at(x, q[3]))) <
         std::numbers::pi / 2;
}

// One torsion about each bond that the force field keeps planar. Impropers turn about no bond.
std::vector<std::array<int, 4>> stiff_torsions(const Topology& topology, const System& system) {
  const auto bonded = [&](int i, int j) {
    return std::ranges::binary_search(topology.bonds, std::pair(std::min(i, j), std::max(i, j)));
  };
  struct Bond {
    std::array<int, 4> atoms;
    double barrier_kj_mol = 0;
  };
  std::map<std::pair<int, int>, Bond> bonds;
  for (const PeriodicTorsion& t : system.torsions) {
    if (!bonded(t.i, t.j) || !bonded(t.j, t.k) || !bonded(t.k, t.l)) continue;
    Bond& bond = bonds[{std::min(t.j, t.k), std::max(t.j, t.k)}];
    bond.atoms = {t.i, t.j, t.k, t.l};
    // k (1 + cos(2 phi - phase)) is k (1 - cos 2 phi) where the phase is pi.
    if (t.periodicity == 2) bond.barrier_kj_mol -= 2 * t.k_kj_mol * std::cos(t.phase_rad);
  }
  std::vector<std::array<int, 4>> out;
  for (const auto& [atoms, bond] : bonds)
    if (bond.barrier_kj_mol >= kStiff_kJ_mol) out.push_back(bond.atoms);
  return out;
}

std::int64_t hot_steps(const ScrambleOptions& o) { return o.steps * 3 / 5; }

// The step at which stage `stage` of cooling begins.
std::int64_t stage_begins(const ScrambleOptions& o, int stage) {
  return hot_steps(o) + (o.steps - hot_steps(o)) * stage / kCoolingStages;
}

// The end of the segment that begins at `step`: no later than that of its stage.
std::int64_t segment_ends(const ScrambleOptions& o, std::int64_t step) {
  std::int64_t end = step + std::max<std::int64_t>(1, std::llround(kSegment_ps / o.timestep_ps));
  for (int stage = 0; stage <= kCoolingStages; ++stage)
    if (stage_begins(o, stage) > step) end = std::min(end, stage_begins(o, stage));
  return end;
}

}  // namespace

Walls::Walls(const Topology& topology, const System& system, std::span<const double> start_nm)
    : topology_(topology) {
  const auto neighbours = topology.neighbours();
  for (int atom = 0; atom < topology.atom_count(); ++atom) {
    const auto& around = neighbours[static_cast<std::size_t>(atom)];
    if (around.size() != 4) continue;
    Stereocentre hand{atom, around[0], around[1], around[2]};
    if (hand.volume(start_nm) < 0) std::swap(hand.a, hand.b);
    hands_.push_back(hand);
  }
  for (const auto& atoms : stiff_torsions(topology, system))
    halves_.push_back({atoms, is_cis(start_nm, atoms)});
}

std::string Walls::fault(std::span<const double> positions_nm) const {
  for (const Stereocentre& hand : hands_)
    if (!(hand.volume(positions_nm) > 0))
      return topology_.describe(hand.centre) + " has another hand";
  for (const Half& half : halves_)
    if (is_cis(positions_nm, half.atoms) != half.cis)
      return topology_.describe(half.atoms[1]) + " - " + topology_.describe(half.atoms[2]) +
             " is turned";
  return "";
}

void Walls::require_natural(std::span<const double> positions_nm, std::size_t first_replica) const {
  const std::size_t size = 3 * topology_.atoms.size();
  for (std::size_t r = 0; r < positions_nm.size() / size; ++r) {
    const auto one = positions_nm.subspan(r * size, size);
    const std::string mirrored = mirrored_centre(topology_, one),
                      found = mirrored.empty() ? fault(one) : mirrored;
    require(found.empty(), "the scrambled start of replica ", first_replica + r, ": ", found,
            "; expected natural hands, and cis and trans as in the conformation that it is from");
  }
}

std::int64_t scramble_steps(double timestep_ps) {
  require(timestep_ps > 0, "expected a timestep above 0 ps, found ", timestep_ps);
  require(kScramble_ps / timestep_ps <= kMostSteps, "a scramble of ", kScramble_ps,
          " ps takes too many steps of ", timestep_ps, " ps");
  return std::max<std::int64_t>(1, std::llround(kScramble_ps / timestep_ps));
}

double scramble_kelvin(const ScrambleOptions& options, std::int64_t step, double end_kelvin) {
  const double hot = std::max(options.hot_kelvin, end_kelvin);
  int stages = 0;  // begun
  while (stages < kCoolingStages && step >= stage_begins(options, stages)) ++stages;
  return hot * std::pow(end_kelvin / hot, static_cast<double>(stages) / kCoolingStages);
}

int scramble_segment(const ScrambleOptions& options, const Walls& walls,
                     std::span<const double> end_kelvin, Dynamics& dynamics) {
  const std::vector<double> before = dynamics.state().positions_nm;
  dynamics.run(segment_ends(options, dynamics.step()) - dynamics.step());
  const std::vector<double> after = dynamics.state().positions_nm;
  const std::size_t size = after.size() / end_kelvin.size();
  std::vector<int> beyond;
  std::vector<double> kelvin;
  for (std::size_t r = 0; r < end_kelvin.size(); ++r) {
    if (!walls.fault(std::span(after).subspan(r * size, size)).empty())
      beyond.push_back(static_cast<int>(r));
    kelvin.push_back(scramble_kelvin(options, dynamics.step(), end_kelvin[r]));
  }
  if (!beyond.empty()) dynamics.put_back(beyond, before);
  dynamics.set_temperatures(kelvin);
  return static_cast<int>(beyond.size());
}

}  // namespace arbg::md
