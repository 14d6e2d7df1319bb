#include "md/placement/placement_lanes.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "md/molecule/vector3.h"
#include "md/placement/placement.h"

namespace arbg::md {
namespace {

constexpr std::size_t kLanes = kLaneCount<float>, kInFlight = kCandidatesInFlight / kLanes;

// constant + cosine cos(phi) + sine sin(phi)
struct Wave {
  float constant, cosine, sine;

  Lanes<float> at(const Lanes<float>& cos_phi, const Lanes<float>& sin_phi) const {
    return constant + cosine * cos_phi + sine * sin_phi;
  }
};

LaneVector<float> same_in_all_lanes(const Vector3& v) {
  return {broadcast(static_cast<float>(v.x)), broadcast(static_cast<float>(v.y)),
          broadcast(static_cast<float>(v.z))};
}

// |x - a|^2 of a placed atom, `d` from the centre.
Wave squared_distance(const DihedralCircle& circle, const Vector3& d) {
  const double rho = circle.radius;
  return {static_cast<float>(dot(d, d) + rho * rho),
          static_cast<float>(-2 * rho * dot(d, circle.side)),
          static_cast<float>(-2 * rho * dot(d, circle.normal))};
}

// The cosine of the angle sibling - parent - atom.
Wave cosine_with(const Vector3& sibling, const Vector3& parent, const DihedralCircle& circle,
                 double r) {
  const Vector3 u = (1 / r) * unit(sibling - parent);
  return {static_cast<float>(dot(u, circle.centre - parent)),
          static_cast<float>(circle.radius * dot(u, circle.side)),
          static_cast<float>(circle.radius * dot(u, circle.normal))};
}

// The series of the torsions around the axis as one in phi: cosine and sine of n azimuths by
// recurrence.
FourierSeries<float> joined_series(const LanePlacementRow& row, const DihedralCircle& circle,
                                   std::span<const double> positions_nm) {
  FourierSeries<double> sum;
  for (const AxisTorsion& torsion : row.axis_torsions) {
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
  FourierSeries<float> rounded;
  for (std::size_t n = 0; n < kMostPeriodicity; ++n) {
    rounded.cosine[n] = static_cast<float>(sum.cosine[n]);
    rounded.sine[n] = static_cast<float>(sum.sine[n]);
  }
  return rounded;
}

// What depends on r and theta alone, kJ/mol.
double constant_energy(const LanePlacementRow& row, double r, double theta) {
  double energy = row.axis_constant;
  for (const HarmonicBond& b : row.parent_bond)
    energy += b.k_kj_mol_nm2 / 2 * (r - b.length_nm) * (r - b.length_nm);
  for (const HarmonicAngle& a : row.grandparent_angle)
    energy += a.k_kj_mol_rad2 / 2 * (theta - a.angle_rad) * (theta - a.angle_rad);
  return energy;
}

// sum over n = 1 .. order of cosine[n-1] cos(n phi) + sine[n-1] sin(n phi)
Lanes<float> series_energy(const std::array<float, kMostPeriodicity>& cosines,
                           const std::array<float, kMostPeriodicity>& sines, int order,
                           const Lanes<float>& cosine, const Lanes<float>& sine) {
  Lanes<float> energy{}, cos_n = cosine, sin_n = sine;
  for (std::size_t n = 0; n < static_cast<std::size_t>(order); ++n) {
    energy += cosines[n] * cos_n + sines[n] * sin_n;
    const Lanes<float> next = cos_n * cosine - sin_n * sine;
    sin_n = sin_n * cosine + cos_n * sine;
    cos_n = next;
  }
  return energy;
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

// As in terms/periodic_torsion_cpu.h. Three atoms exactly in line, where phi is undefined, have the
// constant alone.
Lanes<float> torsion_energy(const LaneTorsion<float>& t, const LaneVector<float>* x) {
  constexpr float kStraight = 1e-30f;  // nm^8
  const LaneVector<float> f = x[t.i] - x[t.j], g = x[t.j] - x[t.k], h = x[t.l] - x[t.k];
  const LaneVector<float> a = cross(f, g), b = cross(h, g);
  const Lanes<float> ab2 = dot(a, a) * dot(b, b);
  const Lanes<float> per_ab =
      inverse_sqrt_lanes(select(ab2 < kStraight, broadcast(kStraight), ab2));
  const Lanes<float> cosine = dot(a, b) * per_ab;
  const Lanes<float> sine = sqrt_lanes(dot(g, g)) * dot(f, b) * per_ab;
  return t.constant + series_energy(t.cosine, t.sine, t.order, cosine, sine);
}

// 2^-x for x >= 0 with an absolute error below 2e-7: whole powers in the exponent, Taylor in the
// rest.
inline Lanes<float> half_to_the(const Lanes<float>& x) {
  constexpr float kMagic = 0x1.8p23f;
  const Lanes<float> power = select(x > 125.0f, broadcast(-125.0f), -x);
  const Lanes<float> shifted = power + kMagic, rest = power - (shifted - kMagic);
  Lanes<float> p = broadcast(1.5403530e-4f);  // log(2)^n/n!, n = 6 ... 0
  for (const float c :
       {1.3333558e-3f, 9.6181291e-3f, 5.5504109e-2f, 2.4022651e-1f, 6.9314718e-1f, 1.0f})
    p = p * rest + c;
  LaneMask<float> bits, whole;  // the lowest bits of `shifted` are the whole power
  std::memcpy(&bits, &p, sizeof bits);
  std::memcpy(&whole, &shifted, sizeof whole);
  bits += whole << 23;
  std::memcpy(&p, &bits, sizeof p);
  return p;
}

// Both of a pair as in terms/nonbonded_cpu.h, for r2 of at least kPlacementNearest^2.
template <bool kCutoff>
inline void add_plain(const LanePair<float>& pair, const Lanes<float>& r2,
                      Lanes<float>& lennard_jones, Lanes<float>& electrostatic) {
  const Lanes<float> inverse_r = inverse_sqrt_lanes(r2);
  const Lanes<float> s2 = pair.sigma2 * (inverse_r * inverse_r), s6 = s2 * s2 * s2;
  const Lanes<float> attraction = pair.four_epsilon * s6;
  Lanes<float> sizes = attraction * s6 - attraction, charges = pair.coulomb * inverse_r;
  if constexpr (kCutoff) {
    const LaneMask<float> outside = r2 > pair.range2;
    sizes = select(outside, Lanes<float>{}, sizes);
    charges = select(outside, Lanes<float>{}, charges - pair.coulomb * pair.shift);
  }
  lennard_jones += sizes;
  electrostatic += charges;
}

// Of a pair as in terms/generalised_born.h, at fixed radii; `shift` is 1/cutoff.
template <bool kCutoff>
inline Lanes<float> solvent_energy(const PlacedPair& pair, const Lanes<float>& r2, float cutoff2,
                                   float shift) {
  const float charges = pair.plain.born;
  const Lanes<float> f2 = r2 + pair.radii * half_to_the(pair.per_radii * r2);
  const Lanes<float> energy = charges * inverse_sqrt_lanes(f2);
  if constexpr (kCutoff)
    return select(r2 > cutoff2, Lanes<float>{}, energy - charges * shift);
  else
    return energy;
}

}  // namespace

// What one curve's candidates have in common: the atoms placed before, seen from the circle. A
// thread keeps its own from call to call: no number of an earlier one is read.
struct LanePlacement::View {
  std::vector<Wave> distance2;       // [N], by atom, in nm^2
  std::vector<LaneVector<float>> x;  // [N], by atom, from the centre; the candidates' too
  LaneVector<float> side, normal;    // radius times those of the circle
  std::vector<Wave> sibling_cosines;
  FourierSeries<float> series;  // kJ/mol
  float constant = 0;           // kJ/mol

  void look(std::span<const LanePlacementRow> rows, std::size_t m,
            std::span<const double> positions_nm, double r, double theta);

  // At least kPlacementNearest^2; of NaN, NaN.
  Lanes<float> floored_distance2(int atom, const Lanes<float>& cos_phi,
                                 const Lanes<float>& sin_phi) const {
    constexpr auto kNearest2 = static_cast<float>(kPlacementNearest * kPlacementNearest);
    const Lanes<float> r2 = distance2[static_cast<std::size_t>(atom)].at(cos_phi, sin_phi);
    return select(r2 < kNearest2, broadcast(kNearest2), r2);
  }

  // kJ/mol. Moves the atom of the row.
  Lanes<float> bonded(const LanePlacementRow& row, const Lanes<float>& cos_phi,
                      const Lanes<float>& sin_phi);
};

void LanePlacement::View::look(std::span<const LanePlacementRow> rows, std::size_t m,
                               std::span<const double> positions_nm, double r, double theta) {
  const LanePlacementRow& row = rows[m];
  const DihedralCircle circle = dihedral_circle(row.tree, positions_nm, r, theta);
  distance2.resize(rows.size());
  x.resize(rows.size());
  for (const LanePlacementRow& placed : rows.first(m)) {
    const Vector3 d = at(positions_nm, placed.tree.atom) - circle.centre;
    distance2[static_cast<std::size_t>(placed.tree.atom)] = squared_distance(circle, d);
    x[static_cast<std::size_t>(placed.tree.atom)] = same_in_all_lanes(d);
  }
  side = same_in_all_lanes(circle.radius * circle.side);
  normal = same_in_all_lanes(circle.radius * circle.normal);
  sibling_cosines.clear();
  for (const SiblingAngle& a : row.sibling_angles) {
    sibling_cosines.push_back(
        cosine_with(at(positions_nm, a.sibling), at(positions_nm, row.tree.parent), circle, r));
  }
  series = joined_series(row, circle, positions_nm);
  constant = static_cast<float>(constant_energy(row, r, theta));
}

Lanes<float> LanePlacement::View::bonded(const LanePlacementRow& row, const Lanes<float>& cos_phi,
                                         const Lanes<float>& sin_phi) {
  x[static_cast<std::size_t>(row.tree.atom)] = scaled(cos_phi, side) + scaled(sin_phi, normal);
  Lanes<float> energy =
      constant + series_energy(series.cosine, series.sine, kMostPeriodicity, cos_phi, sin_phi);
  for (std::size_t k = 0; k < sibling_cosines.size(); ++k) {
    const SiblingAngle& a = row.sibling_angles[k];
    const Lanes<float> bend = acos_lanes(sibling_cosines[k].at(cos_phi, sin_phi)) - a.angle;
    energy += 0.5f * a.stiffness * bend * bend;
  }
  for (const LaneBond<float>& b : row.bonds) energy += bond_energy(b, x.data());
  for (const LaneAngle<float>& a : row.angles) energy += angle_energy(a, x.data());
  for (const LaneTorsion<float>& t : row.torsions) energy += torsion_energy(t, x.data());
  return energy;
}

LanePlacement::LanePlacement(const PlacementRows& all)
    : bins_(static_cast<std::size_t>(all.bins)),
      inverse_thermal_energy_(static_cast<float>(1 / all.thermal_energy_kj_mol)),
      cutoff2_(static_cast<float>(all.system.cutoff_nm * all.system.cutoff_nm)),
      born_shift_(static_cast<float>(all.system.cutoff_nm > 0 ? 1 / all.system.cutoff_nm : 0)),
      has_born_(!all.born_radii_nm.empty()),
      rows_(lane_placement_rows(all)) {}

template <bool kCutoff, bool kBorn>
void LanePlacement::evaluate(const LanePlacementRow& row, View& view, std::span<float> u) const {
  for (std::size_t first = 0; first < bins_; first += kCandidatesInFlight) {
    Lanes<float> cosine[kInFlight], sine[kInFlight];
    Lanes<float> energy[kPlacementComponents][kInFlight] = {};
    for (std::size_t k = 0; k < kInFlight; ++k) {
      cosine[k] = load_lanes(&row.cosine[first + k * kLanes]);
      sine[k] = load_lanes(&row.sine[first + k * kLanes]);
    }
    for (const PlacedPair& pair : row.pairs) {
      for (std::size_t k = 0; k < kInFlight; ++k) {
        const Lanes<float> r2 = view.floored_distance2(pair.plain.j, cosine[k], sine[k]);
        add_plain<kCutoff>(pair.plain, r2, energy[1][k], energy[2][k]);
        if constexpr (kBorn)
          energy[2][k] += solvent_energy<kCutoff>(pair, r2, cutoff2_, born_shift_);
      }
    }
    if constexpr (kBorn) {
      for (const PlacedPair& pair : row.excluded) {
        for (std::size_t k = 0; k < kInFlight; ++k) {
          const Lanes<float> r2 = view.floored_distance2(pair.plain.j, cosine[k], sine[k]);
          energy[2][k] += solvent_energy<kCutoff>(pair, r2, cutoff2_, born_shift_);
        }
      }
    }
    for (std::size_t k = 0; k < kInFlight && first + k * kLanes < bins_; ++k) {
      energy[0][k] = view.bonded(row, cosine[k], sine[k]);
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
  thread_local View view;
  view.look(rows_, m, positions_nm, r, theta);
  const bool has_cutoff = cutoff2_ > 0;
  if (has_cutoff && has_born_) evaluate<true, true>(rows_[m], view, u);
  if (has_cutoff && !has_born_) evaluate<true, false>(rows_[m], view, u);
  if (!has_cutoff && has_born_) evaluate<false, true>(rows_[m], view, u);
  if (!has_cutoff && !has_born_) evaluate<false, false>(rows_[m], view, u);
}

}  // namespace arbg::md
