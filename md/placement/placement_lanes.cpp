#include "md/placement/placement_lanes.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "md/placement/placement.h"

namespace arbg::md {
namespace {

constexpr std::size_t kLanes = kLaneCount<float>;
// Vectors of candidates that share the reading of a pair, and a block of them: of 16 vectors for 256
// bins, of 5 for every fourth with its margins.
constexpr std::size_t kFineVectors = 4, kCoarseVectors = 5;

// Pairs that stay this far apart, in nm, are so smooth that every fourth candidate will do, if these
// are at most so many radians apart: what lies between is interpolated through five of them.
constexpr float kFar2 = 0.4f * 0.4f;
constexpr double kSmooth = 2 * std::numbers::pi / 64 * (1 + 1e-9);
constexpr std::size_t kStep = 4, kMargin = 2;

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
  std::vector<HarmonicAngle> sibling_angles;
  // What turns as a whole, with the two atoms of the axis, does not change.
  row.to_grandparent = terms.angles;
  std::erase_if(row.to_grandparent, [&](const HarmonicAngle& a) {
    return a.j != row.tree.parent ||
           std::minmax(a.i, a.k) != std::minmax(row.tree.atom, row.tree.grandparent);
  });
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
  move_if(terms.angles, sibling_angles, [&](const HarmonicAngle& a) {
    return a.j == row.tree.parent && (a.i == row.tree.atom || a.k == row.tree.atom);
  });
  for (const HarmonicAngle& a : sibling_angles)
    row.siblings.push_back({a.i == row.tree.atom ? a.k : a.i, static_cast<float>(a.angle_rad),
                            static_cast<float>(a.k_kj_mol_rad2)});
  row.bonds = lane_bonds<float>(terms);
  row.angles = lane_angles<float>(terms);
  row.torsions = lane_torsions<float>(terms);
  row.bonded_in_lanes = !row.bonds.empty() || !row.angles.empty() || !row.torsions.empty();
}

// cos and sin of `count` angles, the last again up to a whole block.
void add_angles(double first, double step, std::size_t count, std::size_t vectors,
                PlacementAngles& angles) {
  const std::size_t block = vectors * kLanes, whole = (count + block - 1) / block * block;
  for (std::size_t i = 0; i < whole; ++i) {
    const double phi = first + step * static_cast<double>(std::min(i, count - 1));
    angles.cosine.push_back(static_cast<float>(std::cos(phi)));
    angles.sine.push_back(static_cast<float>(std::sin(phi)));
  }
}

void add_bin_middles(const PlacementRow::Bins& own, std::size_t bins, LanePlacementRow& row) {
  add_angles(own.middle(0), own.width, bins, kFineVectors, row.fine);
  const double step = kStep * own.width;
  if (step > kSmooth || bins % (kStep * kLanes) != 0) return;
  // In the middles of groups of kStep bins, and beyond both ends.
  add_angles(own.low + step * (0.5 - kMargin), step, bins / kStep + 2 * kMargin,
             kCoarseVectors, row.coarse);
}

// Where Lagrange's polynomial through kPoints values, one apart, is wanted in units of their step,
// counted from the middle one: a weight for each.
constexpr std::size_t kPoints = 2 * kMargin + 1;
std::array<float, kPoints> interpolation_weights(double x) {
  std::array<float, kPoints> weights;
  for (std::size_t k = 0; k < kPoints; ++k) {
    double w = 1;
    for (std::size_t other = 0; other < kPoints; ++other)
      if (other != k)
        w *= (x + kMargin - static_cast<double>(other)) /
             (static_cast<double>(k) - static_cast<double>(other));
    weights[k] = static_cast<float>(w);
  }
  return weights;
}

// The curve of an angle is nearly a parabola ten standard deviations to each side: 32 values do.
void add_angle_curve(const PlacementRow& plain, std::size_t bins, LanePlacementRow& row) {
  constexpr std::size_t kAngles = 32;
  const std::size_t group = bins % kAngles == 0 ? bins / kAngles : 1;
  const double step = static_cast<double>(group) * plain.angle.width;
  for (std::size_t i = 0; i < bins / group + 2 * kMargin; ++i) {
    const double theta = plain.angle.low + step * (static_cast<double>(i) + 0.5 - kMargin);
    double bend = 0;
    for (const HarmonicAngle& a : row.to_grandparent)
      bend += a.k_kj_mol_rad2 / 2 * (theta - a.angle_rad) * (theta - a.angle_rad);
    row.angle_grid.push_back({std::cos(theta), std::sin(theta), static_cast<float>(bend)});
  }
  for (std::size_t k = 0; k < group; ++k)
    for (const float w : interpolation_weights(
             (static_cast<double>(k) + 0.5) / static_cast<double>(group) - 0.5))
      row.weights.push_back(w);
  const double width = middle_phase(plain, static_cast<std::int64_t>(bins), 1) -
                       middle_phase(plain, static_cast<std::int64_t>(bins), 0);
  add_angles(middle_phase(plain, static_cast<std::int64_t>(bins), 0), width, kPhases, 1, row.phases);
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

// exp(-x) for x >= 0, as exp_lanes(), without what large and positive arguments need; NaN stays NaN.
inline Lanes<float> exp_of_negative(const Lanes<float>& x) {
  constexpr float kMagic = 0x1.8p23f;
  const Lanes<float> y = -select(x > 87.0f, broadcast(87.0f), x);
  const Lanes<float> shifted = y * 1.44269504f + kMagic, n = shifted - kMagic;
  const Lanes<float> r = (y - n * 0.693359375f) + n * 2.12194440e-4f;
  Lanes<float> p = broadcast(1.0f / 720);
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const LaneMask<float> bits = (__builtin_convertvector(n, LaneMask<float>) + 127) << 23;
  Lanes<float> scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return p * scale;
}

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
    const Lanes<float> gauss = exp_of_negative(p.inverse_four_radii * r2);
    Lanes<float> of_solvent = pair.born * inverse_sqrt_lanes(r2 + p.radii * gauss);
    if constexpr (kCutoff) {
      of_solvent = select(r2 > born_cutoff2, Lanes<float>{}, of_solvent - pair.born * born_shift);
    }
    electrostatic += of_solvent;
  }
}

// acos(c), |c| <= 1, with an absolute error below 4e-7. Coefficients: Abramowitz, Stegun, Handbook of
// Mathematical Functions, 4.4.46.
inline Lanes<float> acos_lanes(const Lanes<float>& c) {
  const Lanes<float> x = abs_lanes(c), rest = 1.0f - x;
  Lanes<float> p = broadcast(-0.0012624911f);
  for (const float a : {0.0066700901f, -0.0170881256f, 0.0308918810f, -0.0501743046f, 0.0889789874f,
                        -0.2145988016f, 1.5707963050f})
    p = p * x + a;
  const Lanes<float> least = select(rest < 1e-12f, broadcast(1e-12f), rest);
  const Lanes<float> angle = p * (least * inverse_sqrt_lanes(least));
  return select(c < 0, 3.14159265f - angle, angle);
}

// Of the angle to a sibling, whose cosine is constant + cosine cos(phi) + sine sin(phi).
inline Lanes<float> sibling_energy(const LanePlacementRow::Sibling& s, const Lanes<float>& cosine) {
  const Lanes<float> bend = acos_lanes(cosine) - s.angle;
  return 0.5f * s.stiffness * bend * bend;
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
      inverse_sqrt_lanes(select(ab2 < kStraight4, broadcast(kStraight4), ab2));
  const Lanes<float> cosine = dot(a, b) * per_ab;
  const Lanes<float> sine = sqrt_lanes(dot(g, g)) * dot(f, b) * per_ab;
  return t.constant + series_energy(t.cosine.data(), t.sine.data(), t.order, cosine, sine);
}

}  // namespace

// What is evaluated atom by atom.
Lanes<float> listed_energy(const LanePlacementRow& row, const LaneVector<float>* x) {
  Lanes<float> energy{};
  for (const LaneBond<float>& b : row.bonds) energy += bond_energy(b, x);
  for (const LaneAngle<float>& a : row.angles) energy += angle_energy(a, x);
  for (const LaneTorsion<float>& t : row.torsions) energy += torsion_energy(t, x);
  return energy;
}

// A cosine at theta: constant + cosine cos(phi) + sine sin(phi).
using Cosine = SquaredDistance;

// The directions of siblings across and along the axis.
struct Direction {
  double along, side, normal;
  // Of the angle to an atom at cos and sin of theta.
  Cosine at(double cosine, double sine) const {
    return {static_cast<float>(-cosine * along), static_cast<float>(sine * side),
            static_cast<float>(sine * normal)};
  }
};
Direction direction_of(const DihedralCircle& circle, const Vector3& from_parent) {
  const Vector3 d = unit(from_parent);
  return {dot(d, cross(circle.side, circle.normal)), dot(d, circle.side), dot(d, circle.normal)};
}

struct PlacedPair {
  const LanePlacementRow::Pair* pair;
  SquaredDistance distance2;
};

// Lennard-Jones and electrostatic energies of pairs, summed, at many angles: whole blocks of them,
// in kJ/mol.
template <std::size_t kVectors, bool kCutoff, bool kBorn>
void sum_pairs(std::span<const PlacedPair> pairs, const PlacementAngles& angles,
               float born_cutoff2, float born_shift, float* lennard_jones, float* electrostatic) {
  for (std::size_t first = 0; first < angles.cosine.size(); first += kVectors * kLanes) {
    Lanes<float> cosine[kVectors], sine[kVectors], sizes[kVectors] = {}, charges[kVectors] = {};
    for (std::size_t k = 0; k < kVectors; ++k) {
      cosine[k] = load_lanes(&angles.cosine[first + k * kLanes]);
      sine[k] = load_lanes(&angles.sine[first + k * kLanes]);
    }
    for (const PlacedPair& p : pairs) {
      const SquaredDistance d2 = p.distance2;
      for (std::size_t k = 0; k < kVectors; ++k) {
        add_pair<kCutoff, kBorn>(*p.pair, d2.constant + d2.cosine * cosine[k] + d2.sine * sine[k],
                                 born_cutoff2, born_shift, sizes[k], charges[k]);
      }
    }
    for (std::size_t k = 0; k < kVectors; ++k) {
      store_lanes(lennard_jones + first + k * kLanes, sizes[k]);
      store_lanes(electrostatic + first + k * kLanes, charges[k]);
    }
  }
}

// Lane i takes lane i / kStep.
template <std::size_t... I>
inline Lanes<float> each_repeated(const Lanes<float>& x, std::index_sequence<I...>) {
  return __builtin_shufflevector(x, x, (static_cast<int>(I / kStep))...);
}

// Adds to fine [bins] what Lagrange's polynomial through the five nearest coarse values gives there.
void add_interpolated(const float* coarse, std::size_t bins, float* fine) {
  Lanes<float> weight[kPoints];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const auto own = interpolation_weights((static_cast<double>(lane % kStep) + 0.5) / kStep - 0.5);
    for (std::size_t k = 0; k < kPoints; ++k) weight[k][lane] = own[k];
  }
  for (std::size_t first = 0; first < bins; first += kLanes) {
    Lanes<float> sum = load_lanes(fine + first);
    for (std::size_t k = 0; k < kPoints; ++k)
      sum += weight[k] * each_repeated(load_lanes(coarse + first / kStep + k),
                                       std::make_index_sequence<kLanes>());
    store_lanes(fine + first, sum);
  }
}

// Of one curve. A thread keeps its own from call to call: no number of an earlier one is read.
struct LanePlacement::Workspace {
  struct InLanes {
    LaneVector<float> centre, cosine, sine;  // x = centre + cosine cos(phi) + sine sin(phi)
  };
  std::vector<double> at_zero;             // [N, 3], with the turning atoms at phi = 0
  std::vector<TurningAtom> turning;        // the atom and its companions
  std::vector<SquaredDistance> distance2;  // [turning, N]
  std::vector<Cosine> siblings;            // of the angles to them
  std::vector<PlacedPair> near, far;       // pairs with this curve's distances
  std::vector<float> fine;                 // [3, ...], energies at the fine angles, in kJ/mol
  std::vector<float> sums;                 // of the curve of an angle, over phases
  std::vector<float> coarse;               // [2, ...], of far pairs at the coarse angles
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
  near.clear(), far.clear();
  for (const LanePlacementRow::Pair& pair : row.pairs) {
    const SquaredDistance d2 = distance2[pair.turning * N + static_cast<std::size_t>(pair.pair.j)];
    const float nearest2 = d2.constant - std::hypot(d2.cosine, d2.sine);
    const bool smooth = !row.coarse.cosine.empty() && nearest2 > kFar2;
    (smooth ? far : near).push_back({&pair, d2});
  }
  const FourierSeries series = one_series(row, circle, turning, positions_nm);
  for (std::size_t n = 0; n < kMostPeriodicity; ++n) {
    cosine[n] = static_cast<float>(series.cosine[n]);
    sine[n] = static_cast<float>(series.sine[n]);
  }
  const Vector3 parent = at(positions_nm, row.tree.parent);
  siblings.clear();
  for (const auto& s : row.siblings)
    siblings.push_back(direction_of(circle, at(positions_nm, s.atom) - parent)
                           .at(std::cos(theta), std::sin(theta)));
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
  for (std::size_t k = 0; k < siblings.size(); ++k)
    energy += sibling_energy(
        row.siblings[k],
        siblings[k].constant + siblings[k].cosine * cos_phi + siblings[k].sine * sin_phi);
  if (!row.bonded_in_lanes) return energy;
  for (std::size_t k = 0; k < in_lanes.size(); ++k)
    x[static_cast<std::size_t>(row.turning[k])] =
        in_lanes[k].centre + scaled(cos_phi, in_lanes[k].cosine) + scaled(sin_phi, in_lanes[k].sine);
  return energy + listed_energy(row, x.data());
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
    if (plain.dihedral.width > 0) {
      row.turning.push_back(plain.tree.atom);
      for (const Companion& c : plain.companions) row.turning.push_back(all.rows[c.row].tree.atom);
      add_bin_middles(plain.dihedral, bins_, row);
      add_bonded(plain, row);
      if (plain.is_phase) add_angle_curve(plain, bins_, row);
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
  const std::size_t whole = row.fine.cosine.size(), coarse = row.coarse.cosine.size();
  work.fine.resize(kPlacementComponents * whole);
  float *bonded = work.fine.data(), *sizes = bonded + whole, *charges = sizes + whole;
  for (std::size_t first = 0; first < whole; first += kLanes)
    store_lanes(bonded + first, work.bonded(row, load_lanes(&row.fine.cosine[first]),
                                            load_lanes(&row.fine.sine[first])));
  sum_pairs<kFineVectors, kCutoff, kBorn>(work.near, row.fine, born_cutoff2_, born_shift_, sizes,
                                          charges);
  if (!work.far.empty()) {
    work.coarse.resize(2 * coarse);
    float *coarse_sizes = work.coarse.data(), *coarse_charges = coarse_sizes + coarse;
    sum_pairs<kCoarseVectors, kCutoff, kBorn>(work.far, row.coarse, born_cutoff2_, born_shift_,
                                              coarse_sizes, coarse_charges);
    add_interpolated(coarse_sizes, bins_, sizes);
    add_interpolated(coarse_charges, bins_, charges);
  }
  for (std::size_t c = 0; c < kPlacementComponents; ++c)
    for (std::size_t v = 0; v < bins_; ++v)
      u[c * bins_ + v] = inverse_thermal_energy_ * work.fine[c * whole + v];
}

void LanePlacement::dihedral_curve(std::size_t m, std::span<const double> positions_nm, double r,
                          double theta, std::span<float> u) const {
  thread_local Workspace work;
  const LanePlacementRow& row = rows_[m];
  work.look(*plain_, m, row, std::span(order_).first(m), positions_nm, r, theta);
  if (has_cutoff_ && has_born_) evaluate<true, true>(row, work, u);
  if (has_cutoff_ && !has_born_) evaluate<true, false>(row, work, u);
  if (!has_cutoff_ && has_born_) evaluate<false, true>(row, work, u);
  if (!has_cutoff_ && !has_born_) evaluate<false, false>(row, work, u);
}

// A phase has no companions. Its atom is at parent - r cos(theta) axis + r sin(theta) (cos(phi) side
// + sin(phi) normal); torsions around the axis do not depend on theta.
void LanePlacement::angle_curve(std::size_t m, std::span<const double> positions_nm, double r,
                                std::span<float> u) const {
  thread_local Workspace work;
  const LanePlacementRow& row = rows_[m];
  const DihedralCircle across = dihedral_circle(row.tree, positions_nm, r, std::numbers::pi / 2);
  const Vector3 origin = at(positions_nm, row.tree.parent);
  const auto axis = same_in_all_lanes(r * cross(across.side, across.normal)),
             side = same_in_all_lanes(r * across.side),
             normal = same_in_all_lanes(r * across.normal);
  if (row.bonded_in_lanes) {
    work.x.resize(rows_.size());
    for (const int atom : std::span(order_).first(m))
      work.x[static_cast<std::size_t>(atom)] = same_in_all_lanes(at(positions_nm, atom) - origin);
  }
  std::vector<Direction> siblings;
  for (const auto& sibling : row.siblings)
    siblings.push_back(direction_of(across, at(positions_nm, sibling.atom) - origin));
  const TurningAtom own{across.centre, across.radius, 1, 0};
  const FourierSeries series = one_series(row, across, std::span(&own, 1), positions_nm);
  for (std::size_t n = 0; n < kMostPeriodicity; ++n) {
    work.cosine[n] = static_cast<float>(series.cosine[n]);
    work.sine[n] = static_cast<float>(series.sine[n]);
  }
  constexpr std::size_t kVectors = kPhases / kLanes;
  Lanes<float> cos_phi[kVectors], sin_phi[kVectors], of_axis[kVectors];
  for (std::size_t k = 0; k < kVectors; ++k) {
    cos_phi[k] = load_lanes(&row.phases.cosine[k * kLanes]);
    sin_phi[k] = load_lanes(&row.phases.sine[k * kLanes]);
    of_axis[k] =
        series_energy(work.cosine.data(), work.sine.data(), kMostPeriodicity, cos_phi[k], sin_phi[k]);
  }
  work.coarse.clear(), work.sums.clear();
  for (const LanePlacementRow::GridAngle& theta : row.angle_grid) {
    Lanes<float> reduced[kVectors], least = broadcast(INFINITY);
    std::ranges::copy(of_axis, reduced);
    for (std::size_t i = 0; i < siblings.size(); ++i) {
      const Cosine c = siblings[i].at(theta.cosine, theta.sine);
      for (std::size_t k = 0; k < kVectors; ++k)
        reduced[k] += sibling_energy(row.siblings[i],
                                     c.constant + c.cosine * cos_phi[k] + c.sine * sin_phi[k]);
    }
    if (row.bonded_in_lanes) {
      const auto cos_theta = static_cast<float>(theta.cosine),
                 sin_theta = static_cast<float>(theta.sine);
      for (std::size_t k = 0; k < kVectors; ++k) {
        work.x[static_cast<std::size_t>(row.tree.atom)] =
            scaled(sin_theta * cos_phi[k], side) + scaled(sin_theta * sin_phi[k], normal) -
            scaled(broadcast(cos_theta), axis);
        reduced[k] += listed_energy(row, work.x.data());
      }
    }
    for (Lanes<float>& e : reduced) {
      e *= inverse_thermal_energy_;
      least = select(e < least, e, least);
    }
    const float lowest = -max_lanes(-least);
    Lanes<float> sum{};
    for (const Lanes<float>& e : reduced) sum += exp_of_negative(e - lowest);
    work.coarse.push_back(lowest + inverse_thermal_energy_ * theta.bend);
    work.sums.push_back(sum_lanes(sum));
  }
  for (std::size_t i = 0; i < work.sums.size(); ++i) work.coarse[i] -= std::log(work.sums[i]);
  std::ranges::fill(u, 0.0f);
  const std::size_t group = row.weights.size() / kPoints;
  for (std::size_t v = 0; v < bins_; ++v)
    for (std::size_t k = 0; k < kPoints; ++k)
      u[v] += row.weights[v % group * kPoints + k] * work.coarse[v / group + k];
}

}  // namespace arbg::md
