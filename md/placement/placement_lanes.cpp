#include "md/placement/placement_lanes.h"

#include <algorithm>
#include <cmath>

#include "md/placement/placement.h"

namespace arbg::md {
namespace {

constexpr std::size_t kLanes = kLaneCount<float>;
constexpr std::size_t kInFlight = 2;  // vectors of candidates that share the reading of a pair
constexpr std::size_t kBlock = kInFlight * kLanes;

// Moves what `holds` from one list to the end of another.
template <class T, class Holds>
void move_if(std::vector<T>& from, std::vector<T>& to, const Holds& holds) {
  std::ranges::copy_if(from, std::back_inserter(to), holds);
  std::erase_if(from, holds);
}

// +1 if the torsion's angle grows with phi, -1 if it falls: seen from the parent, or from the
// grandparent.
double sense(const LaneTorsion<double>& t, const ZMatrixRow& tree) {
  return (t.l == tree.atom ? t.k : t.j) == tree.parent ? 1 : -1;
}

bool is_around_axis(const PeriodicTorsion& t, const ZMatrixRow& tree) {
  return std::minmax(t.j, t.k) == std::minmax(tree.parent, tree.grandparent) &&
         (t.i == tree.atom || t.l == tree.atom);
}

void add_axis_torsions(const System& terms, LanePlacementRow& row) {
  for (const LaneTorsion<double>& t : lane_torsions<double>(terms)) {
    LanePlacementRow::AxisTorsion torsion{.end = t.l == row.tree.atom ? t.i : t.l, .series = {}};
    for (std::size_t n = 0; n < kMostPeriodicity; ++n) {
      torsion.series.cosine[n] = t.cosine[n];
      torsion.series.sine[n] = sense(t, row.tree) * t.sine[n];
    }
    row.axis_constant += t.constant;
    row.axis_torsions.push_back(torsion);
  }
}

void add_bonded(const PlacementRow& plain, LanePlacementRow& row) {
  const ZMatrixRow& tree = plain.tree;
  System terms = plain.terms, around_axis;
  move_if(terms.bonds, row.to_parent, [&](const HarmonicBond& b) {
    return std::minmax(b.i, b.j) == std::minmax(tree.atom, tree.parent);
  });
  move_if(terms.angles, row.to_grandparent, [&](const HarmonicAngle& a) {
    return a.j == tree.parent && std::minmax(a.i, a.k) == std::minmax(tree.atom, tree.grandparent);
  });
  move_if(terms.torsions, around_axis.torsions,
          [&](const PeriodicTorsion& t) { return is_around_axis(t, tree); });
  add_axis_torsions(around_axis, row);
  row.bonds = lane_bonds<float>(terms);
  row.angles = lane_angles<float>(terms);
  row.torsions = lane_torsions<float>(terms);
}

void add_bin_middles(const PlacementRow& plain, std::int64_t bins, LanePlacementRow& row) {
  const auto count = (static_cast<std::size_t>(bins) + kBlock - 1) / kBlock * kBlock;
  for (std::size_t v = 0; v < count; ++v) {
    const double phi = plain.middle(std::min(static_cast<std::int64_t>(v), bins - 1));
    row.cosine.push_back(static_cast<float>(std::cos(phi)));
    row.sine.push_back(static_cast<float>(std::sin(phi)));
  }
}

// Each pair goes to the later of its two atoms; there it names the earlier.
void add_pairs(const LanePairs<float>& list, const PlacementRows& all,
               std::vector<LanePlacementRow>& rows) {
  std::vector<std::size_t> place(rows.size());
  for (std::size_t m = 0; m < rows.size(); ++m)
    place[static_cast<std::size_t>(rows[m].tree.atom)] = m;
  for (const PairRun& run : list.runs) {
    for (std::size_t p = run.begin; p < run.end; ++p) {
      const auto i = static_cast<std::size_t>(run.i), j = static_cast<std::size_t>(list.pairs[p].j);
      LanePlacementRow::Pair pair{.pair = list.pairs[p]};
      pair.pair.j = place[i] < place[j] ? run.i : list.pairs[p].j;
      if (!all.born_radii_nm.empty()) {
        const double radii = all.born_radii_nm[i] * all.born_radii_nm[j];
        pair.radii = static_cast<float>(radii);
        pair.inverse_four_radii = static_cast<float>(1 / (4 * radii));
      }
      rows[std::max(place[i], place[j])].pairs.push_back(pair);
    }
  }
}

// The series of the torsions, each in phi minus the azimuth of its end, as one in phi: cosine and
// sine of n azimuths by recurrence.
FourierSeries one_series(const LanePlacementRow& row, const DihedralCircle& circle,
                         std::span<const double> positions_nm) {
  FourierSeries sum;
  for (const LanePlacementRow::AxisTorsion& torsion : row.axis_torsions) {
    const Vector3 end = at(positions_nm, torsion.end) - circle.centre;
    const double x = dot(end, circle.side), y = dot(end, circle.normal), off = std::hypot(x, y);
    const double cosine = x / off, sine = y / off;
    double cos_n = cosine, sin_n = sine;
    for (std::size_t n = 0; n < kMostPeriodicity; ++n) {
      const double c = torsion.series.cosine[n], s = torsion.series.sine[n];
      sum.cosine[n] += c * cos_n - s * sin_n;
      sum.sine[n] += c * sin_n + s * cos_n;
      const double next = cos_n * cosine - sin_n * sine;
      sin_n = sin_n * cosine + cos_n * sine;
      cos_n = next;
    }
  }
  return sum;
}

// What depends on r and theta alone, kJ/mol.
double constant_energy(const LanePlacementRow& row, double r, double theta) {
  double energy = row.axis_constant;
  for (const HarmonicBond& b : row.to_parent)
    energy += b.k_kj_mol_nm2 / 2 * (r - b.length_nm) * (r - b.length_nm);
  for (const HarmonicAngle& a : row.to_grandparent)
    energy += a.k_kj_mol_rad2 / 2 * (theta - a.angle_rad) * (theta - a.angle_rad);
  return energy;
}

// d^2 of a placed atom = constant + cosine cos(phi) + sine sin(phi), in nm^2.
struct SquaredDistance {
  float constant, cosine, sine;
};

// sigma, epsilon and charges as in terms/nonbonded_cpu.h; f as in terms/generalised_born_cpu.h.
template <bool kCutoff, bool kBorn>
inline void add_pair(const LanePlacementRow::Pair& p, const Lanes<float>& distance2,
                     float born_cutoff2, float born_shift, Lanes<float>& lennard_jones,
                     Lanes<float>& electrostatic) {
  constexpr auto kNearest2 = static_cast<float>(kPlacementNearest * kPlacementNearest);
  const LanePair<float>& pair = p.pair;
  const Lanes<float> r2 = select(distance2 < kNearest2, broadcast(kNearest2), distance2);
  const Lanes<float> inverse_r = 1.0f / sqrt_lanes(r2);
  const Lanes<float> s2 = pair.sigma2 * (inverse_r * inverse_r), s6 = s2 * s2 * s2;
  const Lanes<float> attraction = pair.four_epsilon * s6;
  Lanes<float> of_sizes = attraction * s6 - attraction, of_charges = pair.coulomb * inverse_r;
  if constexpr (kCutoff) {
    const LaneMask<float> outside = r2 > pair.range2;
    of_sizes = select(outside, Lanes<float>{}, of_sizes);
    of_charges = select(outside, Lanes<float>{}, of_charges - pair.coulomb * pair.shift);
  }
  lennard_jones += of_sizes;
  electrostatic += of_charges;
  if constexpr (kBorn) {
    const Lanes<float> gauss = exp_lanes(-(p.inverse_four_radii * r2));
    Lanes<float> of_solvent = pair.born / sqrt_lanes(r2 + p.radii * gauss);
    if constexpr (kCutoff) {
      of_solvent = select(r2 > born_cutoff2, Lanes<float>{}, of_solvent - pair.born * born_shift);
    }
    electrostatic += of_solvent;
  }
}

Lanes<float> bond_energy(const LaneBond<float>& b, const LaneVector<float>* x) {
  const LaneVector<float> d = x[b.j] - x[b.i];
  const Lanes<float> stretch = sqrt_lanes(dot(d, d)) - b.length;
  return 0.5f * b.k * stretch * stretch;
}

Lanes<float> angle_energy(const LaneAngle<float>& a, const LaneVector<float>* x) {
  const LaneVector<float> u = x[a.i] - x[a.j], v = x[a.k] - x[a.j], w = cross(u, v);
  const Lanes<float> bend = atan2_lanes<float>(sqrt_lanes(dot(w, w)), dot(u, v)) - a.angle;
  return 0.5f * a.stiffness * bend * bend;
}

// sum over n of cosine[n-1] cos(n phi) + sine[n-1] sin(n phi)
Lanes<float> series_energy(const float* cosine_n, const float* sine_n, int order,
                           const Lanes<float>& cosine, const Lanes<float>& sine) {
  Lanes<float> energy{}, cos_n = cosine, sin_n = sine;
  for (int n = 0; n < order; ++n) {
    energy += cosine_n[n] * cos_n + sine_n[n] * sin_n;
    const Lanes<float> next = cos_n * cosine - sin_n * sine;
    sin_n = sin_n * cosine + cos_n * sine;
    cos_n = next;
  }
  return energy;
}

// As in terms/periodic_torsion_cpu.h; three atoms exactly in line, where phi is undefined, have the
// constant.
Lanes<float> torsion_energy(const LaneTorsion<float>& t, const LaneVector<float>* x) {
  constexpr float kStraight4 = 1e-30f;  // nm^8
  const LaneVector<float> f = x[t.i] - x[t.j], g = x[t.j] - x[t.k], h = x[t.l] - x[t.k];
  const LaneVector<float> a = cross(f, g), b = cross(h, g);
  const Lanes<float> ab2 = dot(a, a) * dot(b, b);
  const Lanes<float> per_ab =
      1.0f / sqrt_lanes(select(ab2 < kStraight4, broadcast(kStraight4), ab2));
  const Lanes<float> cosine = dot(a, b) * per_ab;
  const Lanes<float> sine = sqrt_lanes(dot(g, g)) * dot(f, b) * per_ab;
  return t.constant + series_energy(t.cosine.data(), t.sine.data(), t.order, cosine, sine);
}

}  // namespace

// Of one curve. A thread keeps its own from call to call: no number of an earlier one is read.
struct LanePlacement::Workspace {
  std::vector<SquaredDistance> distance2;  // [N], by atom
  std::vector<LaneVector<float>> x;        // [N], by atom, from the centre of the circle
  LaneVector<float> side, normal;          // radius times those of the circle
  float constant;                          // the rest of the bonded energy, kJ/mol
  std::array<float, kMostPeriodicity> cosine, sine;

  // Everything that one curve's candidates have in common.
  void look(const LanePlacementRow& row, std::span<const int> placed,
            std::span<const double> positions_nm, double r, double theta);

  Lanes<float> bonded(const LanePlacementRow& row, const Lanes<float>& cos_phi,
                      const Lanes<float>& sin_phi);
};

namespace {

LaneVector<float> same_in_all_lanes(const Vector3& v) {
  return {broadcast(static_cast<float>(v.x)), broadcast(static_cast<float>(v.y)),
          broadcast(static_cast<float>(v.z))};
}

}  // namespace

void LanePlacement::Workspace::look(const LanePlacementRow& row, std::span<const int> placed,
                                    std::span<const double> positions_nm, double r, double theta) {
  const DihedralCircle circle = dihedral_circle(row.tree, positions_nm, r, theta);
  const double rho = circle.radius;
  for (const int atom : placed) {
    const Vector3 d = at(positions_nm, atom) - circle.centre;
    const auto a = static_cast<std::size_t>(atom);
    x[a] = same_in_all_lanes(d);
    distance2[a] = {static_cast<float>(dot(d, d) + rho * rho),
                    static_cast<float>(-2 * rho * dot(d, circle.side)),
                    static_cast<float>(-2 * rho * dot(d, circle.normal))};
  }
  side = same_in_all_lanes(rho * circle.side);
  normal = same_in_all_lanes(rho * circle.normal);
  constant = static_cast<float>(constant_energy(row, r, theta));
  const FourierSeries series = one_series(row, circle, positions_nm);
  for (std::size_t n = 0; n < kMostPeriodicity; ++n) {
    cosine[n] = static_cast<float>(series.cosine[n]);
    sine[n] = static_cast<float>(series.sine[n]);
  }
}

Lanes<float> LanePlacement::Workspace::bonded(const LanePlacementRow& row,
                                              const Lanes<float>& cos_phi,
                                              const Lanes<float>& sin_phi) {
  x[static_cast<std::size_t>(row.tree.atom)] = scaled(cos_phi, side) + scaled(sin_phi, normal);
  Lanes<float> energy =
      constant + series_energy(cosine.data(), sine.data(), kMostPeriodicity, cos_phi, sin_phi);
  for (const LaneBond<float>& b : row.bonds) energy += bond_energy(b, x.data());
  for (const LaneAngle<float>& a : row.angles) energy += angle_energy(a, x.data());
  for (const LaneTorsion<float>& t : row.torsions) energy += torsion_energy(t, x.data());
  return energy;
}

LanePlacement::LanePlacement(const PlacementRows& all)
    : bins_(static_cast<std::size_t>(all.bins)),
      inverse_thermal_energy_(static_cast<float>(1 / all.thermal_energy_kj_mol)),
      has_cutoff_(all.system.cutoff_nm > 0),
      has_born_(!all.born_radii_nm.empty()) {
  for (const PlacementRow& plain : all.rows) {
    order_.push_back(plain.tree.atom);
    LanePlacementRow row;
    row.tree = plain.tree;
    if (plain.width > 0) {
      add_bin_middles(plain, all.bins, row);
      add_bonded(plain, row);
    }
    rows_.push_back(std::move(row));
  }
  System system = all.system;
  if (!has_born_) system.born_atoms.clear();
  const LanePairs<float> list = lane_pairs<float>(system);
  born_cutoff2_ = list.cutoff2;
  born_shift_ = list.born_shift;
  add_pairs(list, all, rows_);
}

template <bool kCutoff, bool kBorn>
void LanePlacement::evaluate(const LanePlacementRow& row, Workspace& work,
                             std::span<float> u) const {
  for (std::size_t first = 0; first < bins_; first += kBlock) {
    Lanes<float> cosine[kInFlight], sine[kInFlight];
    Lanes<float> energy[kPlacementComponents][kInFlight] = {};
    for (std::size_t k = 0; k < kInFlight; ++k) {
      cosine[k] = load_lanes(&row.cosine[first + k * kLanes]);
      sine[k] = load_lanes(&row.sine[first + k * kLanes]);
    }
    for (const LanePlacementRow::Pair& pair : row.pairs) {
      const SquaredDistance d2 = work.distance2[static_cast<std::size_t>(pair.pair.j)];
      for (std::size_t k = 0; k < kInFlight; ++k) {
        add_pair<kCutoff, kBorn>(pair, d2.constant + d2.cosine * cosine[k] + d2.sine * sine[k],
                                 born_cutoff2_, born_shift_, energy[1][k], energy[2][k]);
      }
    }
    for (std::size_t k = 0; k < kInFlight && first + k * kLanes < bins_; ++k) {
      energy[0][k] = work.bonded(row, cosine[k], sine[k]);
      const std::size_t begin = first + k * kLanes, count = std::min(kLanes, bins_ - begin);
      for (std::size_t c = 0; c < kPlacementComponents; ++c) {
        const Lanes<float> reduced = inverse_thermal_energy_ * energy[c][k];
        std::memcpy(&u[c * bins_ + begin], &reduced, count * sizeof(float));
      }
    }
  }
}

void LanePlacement::curve(std::size_t m, std::span<const double> positions_nm, double r,
                          double theta, std::span<float> u) const {
  thread_local Workspace work;
  work.distance2.resize(rows_.size());
  work.x.resize(rows_.size());
  const LanePlacementRow& row = rows_[m];
  work.look(row, std::span(order_).first(m), positions_nm, r, theta);
  if (has_cutoff_ && has_born_) evaluate<true, true>(row, work, u);
  if (has_cutoff_ && !has_born_) evaluate<true, false>(row, work, u);
  if (!has_cutoff_ && has_born_) evaluate<false, true>(row, work, u);
  if (!has_cutoff_ && !has_born_) evaluate<false, false>(row, work, u);
}

}  // namespace arbg::md
