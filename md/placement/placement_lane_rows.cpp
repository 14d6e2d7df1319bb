#include "md/placement/placement_lane_rows.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <utility>

namespace arbg::md {
namespace {

void add_bin_middles(const PlacementRow& plain, std::int64_t bins, LanePlacementRow& row) {
  const auto flights =
      (static_cast<std::size_t>(bins) + kCandidatesInFlight - 1) / kCandidatesInFlight;
  for (std::size_t v = 0; v < flights * kCandidatesInFlight; ++v) {
    const double phi = plain.middle(std::min(static_cast<std::int64_t>(v), bins - 1));
    row.cosine.push_back(static_cast<float>(std::cos(phi)));
    row.sine.push_back(static_cast<float>(std::sin(phi)));
  }
}

// Takes what `is_such` from a list.
template <class T, class IsSuch>
std::vector<T> take(std::vector<T>& list, const IsSuch& is_such) {
  std::vector<T> taken;
  std::ranges::copy_if(list, std::back_inserter(taken), is_such);
  std::erase_if(list, is_such);
  return taken;
}

bool is_around_axis(const PeriodicTorsion& t, const ZMatrixRow& tree) {
  return std::minmax(t.j, t.k) == std::minmax(tree.parent, tree.grandparent) &&
         (t.i == tree.atom || t.l == tree.atom);
}

void add_axis_torsions(const System& around_axis, LanePlacementRow& row) {
  for (const LaneTorsion<double>& t : lane_torsions<double>(around_axis)) {
    const bool is_last = t.l == row.tree.atom;
    // Seen from the grandparent, as phi is, or from the parent, which turns the sign.
    const double sign = (is_last ? t.k : t.j) == row.tree.parent ? 1 : -1;
    AxisTorsion torsion{is_last ? t.i : t.l, {t.cosine, t.sine}};
    for (double& s : torsion.series.sine) s *= sign;
    row.axis_constant += t.constant;
    row.axis_torsions.push_back(torsion);
  }
}

void add_bonded(const PlacementRow& plain, LanePlacementRow& row) {
  const ZMatrixRow& tree = plain.tree;
  System rest = plain.terms, around_axis;
  row.parent_bond = take(rest.bonds, [&](const HarmonicBond& b) {
    return std::minmax(b.i, b.j) == std::minmax(tree.atom, tree.parent);
  });
  row.grandparent_angle = take(rest.angles, [&](const HarmonicAngle& a) {
    return a.j == tree.parent && (a.i == tree.grandparent || a.k == tree.grandparent);
  });
  for (const HarmonicAngle& a :
       take(rest.angles, [&](const HarmonicAngle& angle) { return angle.j == tree.parent; })) {
    row.sibling_angles.push_back({a.i == tree.atom ? a.k : a.i, static_cast<float>(a.angle_rad),
                                  static_cast<float>(a.k_kj_mol_rad2)});
  }
  around_axis.torsions =
      take(rest.torsions, [&](const PeriodicTorsion& t) { return is_around_axis(t, tree); });
  add_axis_torsions(around_axis, row);
  row.bonds = lane_bonds<float>(rest);
  row.angles = lane_angles<float>(rest);
  row.torsions = lane_torsions<float>(rest);
}

// Each pair goes to the later of its two atoms; there it names the earlier.
void add_pairs(const PlacementRows& all, std::vector<LanePlacementRow>& rows) {
  System system = all.system;
  if (all.born_radii_nm.empty())
    system.born_atoms.clear();  // then pairs without energy are left out
  const LanePairs<float> list = lane_pairs<float>(system);
  const std::vector<std::size_t> place = all.places();
  for (const PairRun& run : list.runs) {
    for (std::size_t p = run.begin; p < run.end; ++p) {
      const auto i = static_cast<std::size_t>(run.i), j = static_cast<std::size_t>(list.pairs[p].j);
      PlacedPair pair{.plain = list.pairs[p]};
      if (place[i] < place[j]) pair.plain.j = run.i;
      if (!all.born_radii_nm.empty()) {
        const double radii = all.born_radii_nm[i] * all.born_radii_nm[j];
        pair.radii = static_cast<float>(radii);
        pair.per_radii = static_cast<float>(std::numbers::log2e / (4 * radii));
      }
      LanePlacementRow& row = rows[std::max(place[i], place[j])];
      (pair.plain.range2 > 0 ? row.pairs : row.excluded).push_back(pair);
    }
  }
}

}  // namespace

std::vector<LanePlacementRow> lane_placement_rows(const PlacementRows& all) {
  std::vector<LanePlacementRow> rows(all.rows.size());
  for (std::size_t m = 0; m < rows.size(); ++m) {
    rows[m].tree = all.rows[m].tree;
    if (m < 3) continue;
    add_bin_middles(all.rows[m], all.bins, rows[m]);
    add_bonded(all.rows[m], rows[m]);
  }
  add_pairs(all, rows);
  return rows;
}

}  // namespace arbg::md
