// E = k/2 (theta - angle)^2 with theta at atom j, kLaneCount<T> conformations at a time.
//
// theta = atan2(|u x v|, u.v), u = x_i - x_j, v = x_k - x_j, is accurate near 0 and 180 degrees,
// where acos is not.
#pragma once

#include <vector>

#include "md/molecule/system.h"
#include "md/terms/lane_vector.h"

namespace arbg::md {

template <class T>
struct LaneAngle {
  int i, j, k;
  T angle, stiffness;
};

template <class T>
std::vector<LaneAngle<T>> lane_angles(const System& system) {
  std::vector<LaneAngle<T>> angles;
  for (const HarmonicAngle& a : system.angles) {
    angles.push_back({a.i, a.j, a.k, static_cast<T>(a.angle_rad), static_cast<T>(a.k_kj_mol_rad2)});
  }
  return angles;
}

// Adds forces [N] and returns the energy of each lane.
template <class T>
inline Lanes<T> harmonic_angles(const std::vector<LaneAngle<T>>& angles, const LaneVector<T>* x,
                                LaneVector<T>* force) {
  constexpr T kStraight =
      T(1e-12);  // |u x v| in nm^2 under which the plane, hence the force, has no direction
  Lanes<T> energy{};
  for (const LaneAngle<T>& a : angles) {
    const LaneVector<T> u = x[a.i] - x[a.j], v = x[a.k] - x[a.j], w = cross(u, v);
    const Lanes<T> sine = sqrt_lanes(dot(w, w));
    const Lanes<T> bend = atan2_lanes<T>(sine, dot(u, v)) - a.angle, slope = a.stiffness * bend;
    energy += T(0.5) * slope * bend;
    const Lanes<T> per_length = slope / select(sine < kStraight, broadcast(kStraight), sine);
    // With n = w/|w|: d theta/d x_i = (u x n)/u^2 and d theta/d x_k = (n x v)/v^2.
    const LaneVector<T> on_i = scaled(per_length / dot(u, u), cross(w, u));
    const LaneVector<T> on_k = scaled(per_length / dot(v, v), cross(v, w));
    force[a.i] += on_i;
    force[a.k] += on_k;
    force[a.j] -= on_i + on_k;
  }
  return energy;
}

}  // namespace arbg::md
