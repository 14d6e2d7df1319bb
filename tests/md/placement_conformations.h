// Conformations for tests of placement energies, their curves, and the energies of beginnings.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "md/energy/engine.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/restricted_system.h"
#include "md/molecule/units.h"
#include "md/molecule/vector3.h"
#include "md/placement/placement.h"
#include "md/placement/placement_device.h"
#include "tensor/device/device_array.h"
#include "tests/backends.h"
#include "tests/md/map_testing.h"

namespace arbg::md {

inline constexpr double kTemperature = 310;
inline const double kRT = thermal_energy(kTemperature);

struct Peptide {
  const char* force_field;
  const char* sequence;
  std::vector<ResidueState> states = {};
  std::vector<std::pair<int, int>> disulfides = {};
};

// Both force fields, every ring (Pro, His, Phe, Tyr, Trp), a disulfide bond, charged states, ends
// and caps.
inline const std::vector<Peptide>& peptides() {
  static const std::vector<Peptide> all = {
      {"amber99sbildn-obc2", "Ace-A-Nme"},
      {"amber99sbildn-obc2", "Ace-AAA-Nme"},
      {"amber14-obc1", "AAA"},
      {"amber14-obc1", "AAAAAA"},
      {"amber14-obc1", "GYDPETGTWG"},
      {"amber99sbildn-obc2", "GYDPETGTWG"},
      {"amber99sbildn-obc2", "Ace-PHWFY-Nme", {{"HIS", 3, "HIP"}}},
      {"amber99sbildn-obc2", "CGGC", {}, {{1, 4}}},
      {"amber14-obc1", "Ace-HC-Nhe", {{"HIS", 2, "HIP"}}},
  };
  return all;
}

// A molecule with a conformation: the ideal one, its bonds, angles and phases shaken, its free
// dihedrals anywhere.
struct Conformation {
  std::string name;
  Topology topology;
  System system;
  std::unique_ptr<CoordinateMap> map;
  std::vector<double> z, positions, born_radii;

  explicit Conformation(const Peptide& peptide) : name(peptide.sequence) {
    topology = Topology::from_sequence(peptide.sequence, peptide.states, peptide.disulfides);
    system = ForceField::named(peptide.force_field).create_system(topology);
    map = make_internal_map(topology, system, kTemperature);
    z = encode(*map, ideal_geometry(topology, system));
    const Random random(5, stream_id("shake"));
    for (std::size_t j = 0; j < z.size(); ++j) {
      const Coordinate& c = map->coordinates()[j];
      const double size = c.kind == 0 ? 0.004 : c.kind == 1 ? 0.06 : c.periodic ? 2.0 : 0.2;
      z[j] += size * random.normal_pair(j)[0];
    }
    positions = decode(*map, z);
    born_radii = placement_born_radii(topology, system);
  }

  // Coordinates of a kind: 1 for angles before phases, 2 for dihedrals.
  std::vector<int> curves(int kind) const {
    std::vector<int> found;
    const auto& all = map->coordinates();
    for (std::size_t j = 3; j < all.size(); ++j) {
      if (all[j].kind != kind || (kind == 1 && all[j + 1].periodic)) continue;
      found.push_back(static_cast<int>(j));
    }
    return found;
  }
  // The coordinates of the same atom that come before.
  std::span<const double> own(int j) const {
    const auto at = static_cast<std::size_t>(j);
    return std::span(z).subspan(at / 3 * 3, at % 3);
  }
};

// One of each peptide, one with a cutoff shorter than the molecule, and one with torsions of any
// phase, each a second time with its middle atoms exchanged, as impropers may stand.
inline const std::vector<Conformation>& conformations() {
  static const std::vector<Conformation> all = [] {
    std::vector<Conformation> made;
    for (const Peptide& peptide : peptides()) made.emplace_back(peptide);
    made.emplace_back(peptides()[0]);
    made.back().system.cutoff_nm = 0.45;
    made.emplace_back(peptides()[0]);
    auto& torsions = made.back().system.torsions;
    for (std::size_t i = 0, count = torsions.size(); i < count; ++i) {
      torsions[i].phase_rad += 0.3 + 0.1 * static_cast<double>(i);
      PeriodicTorsion exchanged = torsions[i];
      std::swap(exchanged.j, exchanged.k);
      torsions.push_back(exchanged);
    }
    return made;
  }();
  return all;
}

inline std::vector<double> reference_curve(const Placement& placement, const Conformation& c,
                                           int j) {
  std::vector<double> u(static_cast<std::size_t>(kPlacementComponents * placement.bins()));
  placement.reference(j, c.positions, c.own(j), u);
  return u;
}

inline std::vector<float> lanes_curve(const Placement& placement, const Conformation& c, int j) {
  std::vector<float> u(static_cast<std::size_t>(kPlacementComponents * placement.bins()));
  placement.lanes(j, c.positions, c.own(j), u);
  return u;
}

inline DevicePlacement device_of(const Placement& placement, const Conformation& c) {
  return {placement, *c.map, {}, {}};
}

template <class T>
tensor::DeviceArray<T> array_of(const std::vector<T>& values) {
  return {std::span<const T>(values), {Backend::cuda}};
}
using tensor::on_device;

// Curves [S][3 V] of coordinates of a conformation, all in one launch, for as many rows [B, N, 3]
// as there are positions, one behind the other.
inline std::vector<std::vector<float>> device_curves(
    const DevicePlacement& device, const Conformation& c, std::span<const double> positions,
    std::int64_t bins, const std::vector<int>& coordinates, bool capped) {
  const std::size_t rows = positions.size() / c.positions.size(), S = coordinates.size(),
                    size = static_cast<std::size_t>(kPlacementComponents * bins);
  std::vector<double> z;
  for (std::size_t b = 0; b < rows; ++b) z.insert(z.end(), c.z.begin(), c.z.end());
  const auto z_there = array_of(z),
             positions_there = array_of(std::vector<double>(positions.begin(), positions.end()));
  const auto coordinates_there = array_of(coordinates);
  auto u = array_of(std::vector<float>(rows * S * size));
  DeviceCurves out;
  out.u = on_device(u);
  out.capped = capped;
  device.curves({on_device(z_there), std::ssize(c.z), 1}, on_device(positions_there),
                on_device(coordinates_there), out);
  const auto all = u.values();
  std::vector<std::vector<float>> curves;
  for (auto at = all.begin(); at != all.end(); at += static_cast<std::ptrdiff_t>(size))
    curves.emplace_back(at, at + static_cast<std::ptrdiff_t>(size));
  return curves;
}

// The curves of coordinate j do not see atoms that are not placed before it. Leaves these hidden.
inline void check_later_atoms_do_not_matter(const Placement& placement, Conformation& c, int j) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const auto lanes = lanes_curve(placement, c, j);
  const auto reference = reference_curve(placement, c, j);
  const auto order = c.map->atom_order();
  const auto m = static_cast<std::size_t>(c.map->coordinates()[static_cast<std::size_t>(j)].order);
  for (const int atom : std::span(order).subspan(m))
    set_position(c.positions, atom, {kNan, kNan, kNan});
  CHECK(lanes_curve(placement, c, j) == lanes);
  CHECK(reference_curve(placement, c, j) == reference);
  CHECK(std::ranges::none_of(lanes, [](float u) { return std::isnan(u); }));
}

// Without charges, or without sizes.
inline System without(System system, bool charges) {
  for (Nonbonded& n : system.nonbonded) (charges ? n.charge_e : n.epsilon_kj_mol) = 0;
  for (ScaledPair& p : system.scaled_pairs) (charges ? p.charge_product_e2 : p.epsilon_kj_mol) = 0;
  return system;
}

// Reference energies of the first `atoms` atoms of a conformation, without solvent: bonded and
// nonbonded, over RT.
inline std::array<double, 2> energy_of_first(const Conformation& c, const System& system,
                                             std::span<const double> x, int atoms) {
  const std::vector<int> order = c.map->atom_order();
  const std::span<const int> first = std::span(order).first(static_cast<std::size_t>(atoms));
  std::vector<double> part;
  for (const int atom : first) {
    const Vector3 at_x = at(x, atom);
    part.insert(part.end(), {at_x.x, at_x.y, at_x.z});
  }
  const auto terms = EnergyEngine(restricted(system, first), Backend::reference)
                         .evaluate(part, false)
                         .terms_kj_mol;
  return {(terms[0] + terms[1] + terms[2]) / kRT, terms[3] / kRT};
}

// |found - (with - without)| relative to the numbers that are subtracted.
inline void check_difference(double found, double with, double before) {
  CHECK(std::abs(found - (with - before)) <= 1e-10 * (1 + std::abs(with) + std::abs(before)));
}

}  // namespace arbg::md
