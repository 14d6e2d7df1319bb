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

// Which of the turning atoms it is; as many as there are: none.
std::size_t turning_index(const LanePlacementRow& row, int atom) {
  return static_cast<std::size_t>(std::ranges::find(row.turning, atom) - row.turning.begin());
}
bool turns(const LanePlacementRow& row, int atom) {
  return turning_index(row, atom) < row.turning.size();
}

// Around the bond from grandparent to parent, from an atom that turns to one that stands.
bool is_around_axis(const PeriodicTorsion& t, const LanePlacementRow& row) {
  return std::minmax(t.j, t.k) == std::minmax(row.tree.parent, row.tree.grandparent) &&
         turns(row, t.i) != turns(row, t.l);
}

void add_axis_torsions(const System& terms, LanePlacementRow& row) {
  for (const LaneTorsion<double>& t : lane_torsions<double>(terms)) {
    const bool last = turns(row, t.l);
    // +1 if the torsion's angle grows with phi, -1 if it falls: seen from the parent, or from the
    // grandparent.
    const double sense = (last ? t.k : t.j) == row.tree.parent ? 1 : -1;
    LanePlacementRow::AxisTorsion torsion{
        .end = last ? t.i : t.l, .turning = turning_index(row, last ? t.l : t.i), .series = {}};
    for (std::size_t n = 0; n < kMostPeriodicity; ++n) {
      torsion.series.cosine[n] = t.cosine[n];
      torsion.series.sine[n] = sense * t.sine[n];
    }
    row.axis_torsions.push_back(torsion);
  }
}

System joined(const System& a, const System& b) {
  System all = a;
  all.bonds.insert(all.bonds.end(), b.bonds.begin(), b.bonds.end());
  all.angles.insert(all.angles.end(), b.angles.begin(), b.angles.end());
  all.torsions.insert(all.torsions.end(), b.torsions.begin(), b.torsions.end());
  return all;
}

void add_bonded(const PlacementRow& plain, LanePlacementRow& row) {
  System terms = joined(plain.terms, plain.companion_terms), around_axis;
  // What turns as a whole, with the two atoms of the axis, does not change.
  const auto rigid = [&](auto... atom) {
    return ((turns(row, atom) || atom == row.tree.parent || atom == row.tree.grandparent) && ...);
  };
  std::erase_if(terms.bonds, [&](const HarmonicBond& b) { return rigid(b.i, b.j); });
  std::erase_if(terms.angles, [&](const HarmonicAngle& a) { return rigid(a.i, a.j, a.k); });
  std::erase_if(terms.torsions,
                [&](const PeriodicTorsion& t) { return rigid(t.i, t.j, t.k, t.l); });
  move_if(terms.torsions, around_axis.torsions,
          [&](const PeriodicTorsion& t) { return is_around_axis(t, row); });
  add_axis_torsions(around_axis, row);
  row.bonds = lane_bonds<float>(terms);
  row.angles = lane_angles<float>(terms);
  row.torsions = lane_torsions<float>(terms);
  row.bonded_in_lanes = !row.bonds.empty() || !row.angles.empty() || !row.torsions.empty();
}

void add_bin_middles(const PlacementRow& plain, std::int64_t bins, LanePlacementRow& row) {
  const auto count = (static_cast<std::size_t>(bins) + kBlock - 1) / kBlock * kBlock;
  for (std::size_t v = 0; v < count; ++v) {
    const double phi = plain.middle(std::min(static_cast<std::int64_t>(v), bins - 1));
    row.cosine.push_back(static_cast<float>(std::cos(phi)));
    row.sine.push_back(static_cast<float>(std::sin(phi)));
  }
}

// Each pair goes to the later of its two atoms, where it names the earlier; and to the rows that
// take the later atom along and come after the earlier one.
void add_pairs(const LanePairs<float>& list, const PlacementRows& all,
               std::vector<LanePlacementRow>& rows) {
  std::vector<std::size_t> place(rows.size());
  for (std::size_t m = 0; m < rows.size(); ++m)
    place[static_cast<std::size_t>(rows[m].tree.atom)] = m;
  for (const PairRun& run : list.runs) {
    for (std::size_t p = run.begin; p < run.end; ++p) {
      const auto i = static_cast<std::size_t>(run.i), j = static_cast<std::size_t>(list.pairs[p].j);
      const auto [earlier, later] = std::minmax(place[i], place[j]);
      LanePlacementRow::Pair pair{.pair = list.pairs[p]};
      pair.pair.j = rows[earlier].tree.atom;
      if (!all.born_radii_nm.empty()) {
        const double radii = all.born_radii_nm[i] * all.born_radii_nm[j];
        pair.radii = static_cast<float>(radii);
        pair.inverse_four_radii = static_cast<float>(1 / (4 * radii));
      }
      for (std::size_t m = earlier + 1; m <= later; ++m) {
        pair.turning = turning_index(rows[m], rows[later].tree.atom);
        if (pair.turning < rows[m].turning.size()) rows[m].pairs.push_back(pair);
      }
    }
  }
}

// An atom that turns around the axis: x(phi) = centre + radius (cos(phi + turn) side + sin(phi +
// turn) normal), side and normal those of the row's circle.
struct TurningAtom {
  Vector3 centre;
  double radius, cosine, sine;  // of turn
};

TurningAtom turning_atom(const DihedralCircle& circle, const Vector3& at_zero) {
  const Vector3 axis = cross(circle.side, circle.normal), d = at_zero - circle.centre;
  const double x = dot(d, circle.side), y = dot(d, circle.normal), radius = std::hypot(x, y);
  const Vector3 centre = circle.centre + dot(d, axis) * axis;
  if (radius == 0) return {centre, 0, 1, 0};
  return {centre, radius, x / radius, y / radius};
}

// The series of the torsions, each in phi plus the turn of its turning end minus the azimuth of the
// other, as one in phi: cosine and sine of n such angles by recurrence.
FourierSeries one_series(const LanePlacementRow& row, const DihedralCircle& circle,
                         std::span<const TurningAtom> turning,
                         std::span<const double> positions_nm) {
  FourierSeries sum;
  for (const LanePlacementRow::AxisTorsion& torsion : row.axis_torsions) {
    const Vector3 end = at(positions_nm, torsion.end) - circle.centre;
    const TurningAtom& other = turning[torsion.turning];
    const double x = dot(end, circle.side), y = dot(end, circle.normal), off = std::hypot(x, y);
    const double cosine = (x * other.cosine + y * other.sine) / off,
                 sine = (y * other.cosine - x * other.sine) / off;
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
  const Lanes<float> inverse_r = inverse_sqrt_lanes(r2);
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
    Lanes<float> of_solvent = pair.born * inverse_sqrt_lanes(r2 + p.radii * gauss);
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
  struct InLanes {
    LaneVector<float> centre, cosine, sine;  // x = centre + cosine cos(phi) + sine sin(phi)
  };
  std::vector<double> at_zero;             // [N, 3], with the turning atoms at phi = 0
  std::vector<TurningAtom> turning;        // the atom and its companions
  std::vector<SquaredDistance> distance2;  // [turning, N]
  std::vector<InLanes> in_lanes;           // [turning]
  std::vector<LaneVector<float>> x;        // [N], by atom, from the centre of the circle
  std::array<float, kMostPeriodicity> cosine, sine;

  // Everything that one curve's candidates have in common.
  void look(const PlacementRows& all, std::size_t m, const LanePlacementRow& row,
            std::span<const int> placed, std::span<const double> positions_nm, double r,
            double theta);

  Lanes<float> bonded(const LanePlacementRow& row, const Lanes<float>& cos_phi,
                      const Lanes<float>& sin_phi);
};

namespace {

LaneVector<float> same_in_all_lanes(const Vector3& v) {
  return {broadcast(static_cast<float>(v.x)), broadcast(static_cast<float>(v.y)),
          broadcast(static_cast<float>(v.z))};
}

}  // namespace

void LanePlacement::Workspace::look(const PlacementRows& all, std::size_t m,
                                    const LanePlacementRow& row, std::span<const int> placed,
                                    std::span<const double> positions_nm, double r, double theta) {
  const DihedralCircle circle = dihedral_circle(row.tree, positions_nm, r, theta);
  const std::size_t N = all.rows.size();
  turning.assign(1, {circle.centre, circle.radius, 1, 0});
  if (!all.rows[m].companions.empty()) {
    at_zero.assign(positions_nm.begin(), positions_nm.end());
    set_position(at_zero, row.tree.atom, circle.at(0));
    set_companions(all, m, at_zero);
    for (const Companion& c : all.rows[m].companions)
      turning.push_back(turning_atom(circle, at(at_zero, all.rows[c.row].tree.atom)));
  }
  distance2.resize(turning.size() * N);
  for (std::size_t k = 0; k < turning.size(); ++k) {
    const TurningAtom& t = turning[k];
    const Vector3 at_zero_side = t.cosine * circle.side + t.sine * circle.normal,
                  at_quarter = t.cosine * circle.normal - t.sine * circle.side;
    for (const int atom : placed) {
      const Vector3 d = at(positions_nm, atom) - t.centre;
      distance2[k * N + static_cast<std::size_t>(atom)] = {
          static_cast<float>(dot(d, d) + t.radius * t.radius),
          static_cast<float>(-2 * t.radius * dot(d, at_zero_side)),
          static_cast<float>(-2 * t.radius * dot(d, at_quarter))};
    }
  }
  const FourierSeries series = one_series(row, circle, turning, positions_nm);
  for (std::size_t n = 0; n < kMostPeriodicity; ++n) {
    cosine[n] = static_cast<float>(series.cosine[n]);
    sine[n] = static_cast<float>(series.sine[n]);
  }
  if (!row.bonded_in_lanes) return;
  x.resize(N);
  for (const int atom : placed)
    x[static_cast<std::size_t>(atom)] =
        same_in_all_lanes(at(positions_nm, atom) - circle.centre);
  in_lanes.clear();
  for (const TurningAtom& t : turning)
    in_lanes.push_back({same_in_all_lanes(t.centre - circle.centre),
                        same_in_all_lanes(t.radius * (t.cosine * circle.side + t.sine * circle.normal)),
                        same_in_all_lanes(t.radius * (t.cosine * circle.normal - t.sine * circle.side))});
}

Lanes<float> LanePlacement::Workspace::bonded(const LanePlacementRow& row,
                                              const Lanes<float>& cos_phi,
                                              const Lanes<float>& sin_phi) {
  Lanes<float> energy =
      series_energy(cosine.data(), sine.data(), kMostPeriodicity, cos_phi, sin_phi);
  if (!row.bonded_in_lanes) return energy;
  for (std::size_t k = 0; k < in_lanes.size(); ++k)
    x[static_cast<std::size_t>(row.turning[k])] =
        in_lanes[k].centre + scaled(cos_phi, in_lanes[k].cosine) + scaled(sin_phi, in_lanes[k].sine);
  for (const LaneBond<float>& b : row.bonds) energy += bond_energy(b, x.data());
  for (const LaneAngle<float>& a : row.angles) energy += angle_energy(a, x.data());
  for (const LaneTorsion<float>& t : row.torsions) energy += torsion_energy(t, x.data());
  return energy;
}

LanePlacement::LanePlacement(std::shared_ptr<const PlacementRows> rows)
    : plain_(std::move(rows)),
      bins_(static_cast<std::size_t>(plain_->bins)),
      inverse_thermal_energy_(static_cast<float>(1 / plain_->thermal_energy_kj_mol)),
      has_cutoff_(plain_->system.cutoff_nm > 0),
      has_born_(!plain_->born_radii_nm.empty()) {
  const PlacementRows& all = *plain_;
  for (const PlacementRow& plain : all.rows) {
    order_.push_back(plain.tree.atom);
    LanePlacementRow row;
    row.tree = plain.tree;
    if (plain.width > 0) {
      row.turning.push_back(plain.tree.atom);
      for (const Companion& c : plain.companions) row.turning.push_back(all.rows[c.row].tree.atom);
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
      const SquaredDistance d2 =
          work.distance2[pair.turning * rows_.size() + static_cast<std::size_t>(pair.pair.j)];
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
  const LanePlacementRow& row = rows_[m];
  work.look(*plain_, m, row, std::span(order_).first(m), positions_nm, r, theta);
  if (has_cutoff_ && has_born_) evaluate<true, true>(row, work, u);
  if (has_cutoff_ && !has_born_) evaluate<true, false>(row, work, u);
  if (!has_cutoff_ && has_born_) evaluate<false, true>(row, work, u);
  if (!has_cutoff_ && !has_born_) evaluate<false, false>(row, work, u);
}

}  // namespace arbg::md
