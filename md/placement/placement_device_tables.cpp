#include "md/placement/placement_device_tables.h"

#include <algorithm>
#include <cmath>

#include "md/placement/placement.h"
#include "md/placement/placement_lanes.h"
#include "md/placement/ring_closure.h"

namespace arbg::md {
namespace {

// What `made` makes of each of some things, to the end of a list.
template <class To, class From, class Make>
ListPart appended(std::vector<To>& list, const From& from, const Make& made) {
  const auto first = static_cast<int>(list.size());
  for (const auto& one : from) list.push_back(made(one));
  return {first, static_cast<int>(list.size()) - first};
}

PlacedAxisTorsion placed(const LanePlacementRow::AxisTorsion& t) {
  PlacedAxisTorsion out{.end = t.end, .cosine = {}, .sine = {}};
  std::ranges::copy(t.series.cosine, out.cosine);
  std::ranges::copy(t.series.sine, out.sine);
  return out;
}

PlacedTorsion placed(const LaneTorsion<float>& t) {
  PlacedTorsion out{.atom = {t.i, t.j, t.k, t.l},
                    .order = t.order,
                    .constant = t.constant,
                    .cosine = {},
                    .sine = {}};
  std::ranges::copy(t.cosine, out.cosine);
  std::ranges::copy(t.sine, out.sine);
  return out;
}

// The first `count` angles.
ListPart add_phis(const PlacementAngles& angles, std::size_t count, std::vector<PlacedPhi>& list) {
  const auto first = static_cast<int>(list.size());
  for (std::size_t i = 0; i < std::min(count, angles.cosine.size()); ++i)
    list.push_back({angles.cosine[i], angles.sine[i]});
  return {first, static_cast<int>(list.size()) - first};
}

void add_bonded(const LanePlacementRow& from, DevicePlacementTables& tables,
                DevicePlacementRow& row) {
  row.axis_constant = from.axis_constant;
  row.to_parent = appended(tables.springs, from.to_parent, [](const HarmonicBond& b) {
    return PlacedSpring{b.length_nm, b.k_kj_mol_nm2};
  });
  row.to_grandparent = appended(tables.springs, from.to_grandparent, [](const HarmonicAngle& a) {
    return PlacedSpring{a.angle_rad, a.k_kj_mol_rad2};
  });
  row.axis_torsions = appended(tables.axis_torsions, from.axis_torsions,
                               [](const LanePlacementRow::AxisTorsion& t) { return placed(t); });
  row.siblings = appended(tables.siblings, from.siblings, [](const LanePlacementRow::Sibling& s) {
    return PlacedSibling{s.atom, s.angle, s.stiffness};
  });
  row.bonds = appended(tables.bonds, from.bonds, [](const LaneBond<float>& b) {
    return PlacedBond{{b.i, b.j}, b.length, b.k};
  });
  row.angles = appended(tables.angles, from.angles, [](const LaneAngle<float>& a) {
    return PlacedAngle{{a.i, a.j, a.k}, a.angle, a.stiffness};
  });
  row.torsions = appended(tables.torsions, from.torsions,
                          [](const LaneTorsion<float>& t) { return placed(t); });
}

DevicePlacementRow add_row(const LanePlacementRow& from, std::size_t bins, float born_shift,
                           DevicePlacementTables& tables) {
  DevicePlacementRow row{};
  const auto& tree = from.tree;
  row.atom = tree.atom, row.parent = tree.parent;
  row.grandparent = tree.grandparent, row.reference = tree.reference;
  add_bonded(from, tables, row);
  const auto pair = [&](const LanePlacementRow::Pair& p) {
    const LanePair<float>& own = p.pair;
    return PlacedPair{own.j,      own.coulomb,
                      own.sigma2, own.four_epsilon,
                      own.range2, own.coulomb * own.shift,
                      own.born,   own.born * born_shift,
                      p.radii,    p.inverse_four_radii};
  };
  row.pairs = appended(tables.pairs, from.pairs, pair);
  row.pairs.count += appended(tables.pairs, from.excluded, pair).count;
  row.bins = add_phis(from.bins, bins, tables.phis);
  row.phases = add_phis(from.phases, kPlacementPhases, tables.phis);
  row.thetas = appended(tables.thetas, from.thetas, [](const LanePlacementRow::GridAngle& g) {
    return PlacedTheta{g.theta, g.cosine, g.sine};
  });
  auto& sizes = tables.sizes;
  sizes.most_axis_torsions = std::max(sizes.most_axis_torsions, row.axis_torsions.count);
  sizes.most_siblings = std::max(sizes.most_siblings, row.siblings.count);
  sizes.most_thetas = std::max(sizes.most_thetas, row.thetas.count);
  return row;
}

DeviceCurve add_curve(const Coordinate& c, int j, const CoordinateMap& map, std::int64_t bins,
                      const RingClosure* closure, DevicePlacementTables& tables) {
  DeviceCurve curve{};
  const bool has = has_placement_curve(map, j);
  curve.row = c.order;
  curve.has_angle = has && c.kind == 1;
  curve.has_dihedral = has && c.kind == 2;
  curve.low = c.low;
  curve.width = (c.high - c.low) / static_cast<double>(bins);
  if (!closure) return curve;
  curve.has_closure = true;
  curve.centre = closure->centre;
  curve.stiffness = closure->stiffness;
  curve.slope = closure->slope;
  curve.couplings =
      appended(tables.couplings, closure->couplings, [](const RingClosure::Coupling& coupling) {
        return PlacedCoupling{coupling.coordinate, coupling.stiffness, coupling.centre};
      });
  return curve;
}

void add_levels(const PlacementTerms& all, DevicePlacementTables& tables) {
  const auto place = all.places();
  std::vector<int> level(all.rows.size(), 0);
  int most = 0;
  for (std::size_t m = 3; m < all.rows.size(); ++m) {
    const ZMatrixRow& tree = all.rows[m].tree;
    for (const int atom : {tree.parent, tree.grandparent, tree.reference})
      level[m] = std::max(level[m], level[place[static_cast<std::size_t>(atom)]] + 1);
    most = std::max(most, level[m]);
  }
  for (int own = 1; own <= most; ++own) {
    for (std::size_t m = 3; m < all.rows.size(); ++m)
      if (level[m] == own) tables.by_level.push_back(static_cast<int>(m));
    tables.level_ends.push_back(static_cast<int>(tables.by_level.size()));
  }
  tables.sizes.levels = most;
}

}  // namespace

DevicePlacementTables device_placement_tables(const PlacementTerms& all, const LanePlacement& lanes,
                                              const CoordinateMap& map,
                                              std::span<const RingClosure> closures) {
  DevicePlacementTables tables;
  const double cutoff = all.system.cutoff_nm;
  tables.sizes.bins = all.bins;
  tables.sizes.has_born = !all.born_radii_nm.empty();
  tables.sizes.inverse_thermal_energy = static_cast<float>(1 / all.thermal_energy_kj_mol);
  tables.sizes.born_cutoff2 = static_cast<float>(cutoff > 0 ? cutoff * cutoff : INFINITY);
  const auto bins = static_cast<std::size_t>(all.bins);
  for (const LanePlacementRow& row : lanes.rows())
    tables.rows.push_back(add_row(row, bins, lanes.born_shift(), tables));
  const auto& coordinates = map.coordinates();
  for (std::size_t j = 0; j < coordinates.size(); ++j) {
    const auto own = std::ranges::find(closures, static_cast<int>(j), &RingClosure::coordinate);
    tables.curves.push_back(add_curve(coordinates[j], static_cast<int>(j), map, all.bins,
                                      own != closures.end() ? &*own : nullptr, tables));
  }
  const std::int64_t group = bins_in_group(all.bins);
  for (std::size_t k = 0; k < kPoints; ++k)
    for (std::int64_t v = 0; v < group; ++v)
      tables.weights.push_back(
          static_cast<float>(interpolation_weights(place_in_group(v, group))[k]));
  add_levels(all, tables);
  return tables;
}

}  // namespace arbg::md
