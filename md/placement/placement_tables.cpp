// What a row's curves need and no conformation changes.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "md/placement/placement.h"
#include "md/placement/placement_lanes.h"

namespace arbg::md {
namespace {

// Coarse angles are at most so many radians apart.
constexpr double kSmooth = 2 * std::numbers::pi / 64 * (1 + 1e-9);

// Moves what `holds` from one list to the end of another.
template <class T, class Holds>
void move_if(std::vector<T>& from, std::vector<T>& to, const Holds& holds) {
  std::ranges::copy_if(from, std::back_inserter(to), holds);
  std::erase_if(from, holds);
}

bool is_around_axis(const PeriodicTorsion& t, const ZMatrixRow& tree) {
  return std::minmax(t.j, t.k) == std::minmax(tree.parent, tree.grandparent) &&
         (t.i == tree.atom || t.l == tree.atom);
}

// Torsions around the axis that end in the atom.
void add_axis_torsions(const System& terms, LanePlacementRow& row) {
  for (const LaneTorsion<double>& t : lane_torsions<double>(terms)) {
    const bool last = t.l == row.tree.atom;
    // +1 if the torsion's angle grows with phi, -1 if it falls: seen from the parent, or from the
    // grandparent.
    const double sense = (last ? t.k : t.j) == row.tree.parent ? 1 : -1;
    LanePlacementRow::AxisTorsion torsion{.end = last ? t.i : t.l, .series = {}};
    for (std::size_t n = 0; n < kMostPeriodicity; ++n) {
      torsion.series.cosine[n] = t.cosine[n];
      torsion.series.sine[n] = sense * t.sine[n];
    }
    row.axis_constant += t.constant;
    row.axis_torsions.push_back(torsion);
  }
}

void add_bonded(const PlacementRow& plain, LanePlacementRow& row) {
  const ZMatrixRow& tree = plain.tree;
  System terms = plain.terms, around_axis;
  std::vector<HarmonicAngle> at_parent;
  move_if(terms.bonds, row.to_parent, [&](const HarmonicBond& b) {
    return std::minmax(b.i, b.j) == std::minmax(tree.atom, tree.parent);
  });
  move_if(terms.angles, at_parent, [&](const HarmonicAngle& a) {
    return a.j == tree.parent && (a.i == tree.atom || a.k == tree.atom);
  });
  move_if(at_parent, row.to_grandparent, [&](const HarmonicAngle& a) {
    return a.i == tree.grandparent || a.k == tree.grandparent;
  });
  for (const HarmonicAngle& a : at_parent)
    row.siblings.push_back({a.i == tree.atom ? a.k : a.i, static_cast<float>(a.angle_rad),
                            static_cast<float>(a.k_kj_mol_rad2)});
  move_if(terms.torsions, around_axis.torsions,
          [&](const PeriodicTorsion& t) { return is_around_axis(t, tree); });
  add_axis_torsions(around_axis, row);
  row.bonds = lane_bonds<float>(terms);
  row.angles = lane_angles<float>(terms);
  row.torsions = lane_torsions<float>(terms);
  row.has_others = !row.bonds.empty() || !row.angles.empty() || !row.torsions.empty();
}

// Of `count` angles.
PlacementAngles angles_of(double first, double step, std::size_t count, std::size_t vectors) {
  const std::size_t block = vectors * kPlacementLanes, whole = (count + block - 1) / block * block;
  PlacementAngles angles;
  for (std::size_t i = 0; i < whole; ++i) {
    const double phi = first + step * static_cast<double>(std::min(i, count - 1));
    angles.cosine.push_back(static_cast<float>(std::cos(phi)));
    angles.sine.push_back(static_cast<float>(std::sin(phi)));
  }
  return angles;
}

// In the middles of groups of kStep bins, and beyond both ends.
PlacementAngles coarse_angles(const AngularBins& phi, std::size_t bins) {
  const double step = kStep * phi.width;
  if (step > kSmooth || bins % (kStep * kPlacementLanes) != 0) return {};
  return angles_of(phi.low + step * (0.5 - kMargin), step, bins / kStep + 2 * kMargin,
                   kCoarseVectors);
}

void add_thetas(const PlacementRow& plain, std::int64_t bins, LanePlacementRow& row) {
  const auto group = bins_in_group(bins);
  constexpr auto kBeyond = static_cast<std::int64_t>(kMargin);
  for (std::int64_t i = -kBeyond; i < bins / group + kBeyond; ++i) {
    const double theta = plain.groups.middle(i);
    const double cosine = std::cos(theta);  // beyond pi the angle itself falls again
    row.thetas.push_back({std::acos(cosine), cosine, std::sin(theta)});
  }
  const auto size = static_cast<std::size_t>(group);
  const std::size_t whole = (size + kPlacementLanes - 1) / kPlacementLanes * kPlacementLanes;
  row.weights.assign(kPoints * whole, 0);
  for (std::size_t v = 0; v < size; ++v) {
    const auto own = interpolation_weights(place_in_group(static_cast<std::int64_t>(v), group));
    for (std::size_t k = 0; k < kPoints; ++k)
      row.weights[k * whole + v] = static_cast<float>(own[k]);
  }
}

}  // namespace

LanePlacementRow lane_placement_row(const PlacementRow& plain, std::size_t bins) {
  LanePlacementRow row;
  row.tree = plain.tree;
  if (plain.phi.width == 0) return row;
  add_bonded(plain, row);
  row.bins = angles_of(plain.phi.middle(0), plain.phi.width, bins, kBinVectors);
  row.coarse = coarse_angles(plain.phi, bins);
  if (!plain.has_phase) return row;
  add_thetas(plain, static_cast<std::int64_t>(bins), row);
  row.phases = angles_of(plain.phases.middle(0), plain.phases.width, kPlacementPhases, 1);
  return row;
}

double constant_energy(const LanePlacementRow& row, double r, double theta) {
  double energy = row.axis_constant;
  for (const HarmonicBond& b : row.to_parent)
    energy += b.k_kj_mol_nm2 / 2 * (r - b.length_nm) * (r - b.length_nm);
  for (const HarmonicAngle& a : row.to_grandparent)
    energy += a.k_kj_mol_rad2 / 2 * (theta - a.angle_rad) * (theta - a.angle_rad);
  return energy;
}

}  // namespace arbg::md
