// Terms of placement energies in lanes: one atom that moves, and atoms that stand.
#pragma once

#include <cstring>

#include "md/placement/placement_lanes.h"

namespace arbg::md {

// exp(-x) for x >= 0, as exp_lanes() without what large and positive arguments need; NaN stays NaN.
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

// A number that depends on phi as constant + cosine cos(phi) + sine sin(phi).
struct Wave {
  float constant, cosine, sine;
  Lanes<float> at(const Lanes<float>& cos_phi, const Lanes<float>& sin_phi) const {
    return constant + cosine * cos_phi + sine * sin_phi;
  }
};

// Of the angle with that cosine to a sibling, kJ/mol.
inline Lanes<float> sibling_energy(const LanePlacementRow::Sibling& s, const Lanes<float>& cosine) {
  const Lanes<float> bend = acos_lanes(cosine) - s.angle;
  return 0.5f * s.stiffness * bend * bend;
}

// A direction from the parent, along the axis from grandparent to parent and across it.
struct Direction {
  double along, side, normal;

  Direction(const DihedralCircle& circle, const Vector3& from_parent) {
    const Vector3 d = unit(from_parent);
    along = dot(d, cross(circle.side, circle.normal));
    side = dot(d, circle.side);
    normal = dot(d, circle.normal);
  }
  // The cosine of the angle to an atom with cos and sin of theta.
  Wave cosine_to(double cos_theta, double sin_theta) const {
    return {static_cast<float>(-cos_theta * along), static_cast<float>(sin_theta * side),
            static_cast<float>(sin_theta * normal)};
  }
};

inline Lanes<float> bond_energy(const LaneBond<float>& b, const LaneVector<float>* x) {
  const LaneVector<float> d = x[b.j] - x[b.i];
  const Lanes<float> stretch = sqrt_lanes(dot(d, d)) - b.length;
  return 0.5f * b.k * stretch * stretch;
}

inline Lanes<float> angle_energy(const LaneAngle<float>& a, const LaneVector<float>* x) {
  const LaneVector<float> u = x[a.i] - x[a.j], v = x[a.k] - x[a.j], w = cross(u, v);
  const Lanes<float> bend = atan2_lanes<float>(sqrt_lanes(dot(w, w)), dot(u, v)) - a.angle;
  return 0.5f * a.stiffness * bend * bend;
}

// sum over n of cosine[n-1] cos(n phi) + sine[n-1] sin(n phi)
inline Lanes<float> series_energy(const float* cosine_n, const float* sine_n, int order,
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
inline Lanes<float> torsion_energy(const LaneTorsion<float>& t, const LaneVector<float>* x) {
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

// Bonds, angles and torsions that are evaluated atom by atom: x [N] by atom.
inline Lanes<float> energy_of_others(const LanePlacementRow& row, const LaneVector<float>* x) {
  Lanes<float> energy{};
  for (const LaneBond<float>& b : row.bonds) energy += bond_energy(b, x);
  for (const LaneAngle<float>& a : row.angles) energy += angle_energy(a, x);
  for (const LaneTorsion<float>& t : row.torsions) energy += torsion_energy(t, x);
  return energy;
}

inline LaneVector<float> same_in_all_lanes(const Vector3& v) {
  return {broadcast(static_cast<float>(v.x)), broadcast(static_cast<float>(v.y)),
          broadcast(static_cast<float>(v.z))};
}

// The series of the torsions around the axis, each in phi minus the azimuth of its end, as one in
// phi: cosine and sine of n azimuths by recurrence.
struct LaneSeries {
  std::array<float, kMostPeriodicity> cosine, sine;

  LaneSeries(const LanePlacementRow& row, const DihedralCircle& circle,
             std::span<const double> positions_nm) {
    FourierSeries sum;
    for (const LanePlacementRow::AxisTorsion& torsion : row.axis_torsions) {
      const Vector3 end = arbg::md::at(positions_nm, torsion.end) - circle.centre;
      const double x = dot(end, circle.side), y = dot(end, circle.normal), off = std::hypot(x, y);
      if (off == 0) continue;  // in line with the axis: no angle, its constant alone
      const double cos_1 = x / off, sin_1 = y / off;
      double cos_n = cos_1, sin_n = sin_1;
      for (std::size_t n = 0; n < kMostPeriodicity; ++n) {
        const double c = torsion.series.cosine[n], s = torsion.series.sine[n];
        sum.cosine[n] += c * cos_n - s * sin_n;
        sum.sine[n] += c * sin_n + s * cos_n;
        const double next = cos_n * cos_1 - sin_n * sin_1;
        sin_n = sin_n * cos_1 + cos_n * sin_1;
        cos_n = next;
      }
    }
    for (std::size_t n = 0; n < kMostPeriodicity; ++n) {
      cosine[n] = static_cast<float>(sum.cosine[n]);
      sine[n] = static_cast<float>(sum.sine[n]);
    }
  }

  Lanes<float> at(const Lanes<float>& cos_phi, const Lanes<float>& sin_phi) const {
    return series_energy(cosine.data(), sine.data(), kMostPeriodicity, cos_phi, sin_phi);
  }
};

}  // namespace arbg::md
