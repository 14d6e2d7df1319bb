// E = k/2 (theta - angle)^2 with theta at atom j, of one angle by one thread; in float or double.
//
// theta = atan2(|u x v|, u.v), u = x_i - x_j, v = x_k - x_j. Formulas as in harmonic_angle_cpu.h.
#pragma once

#include "md/terms/device_tables.h"
#include "md/terms/device_vector.cuh"

namespace arbg::md::cuda {

// Forces on the ends; the atom between takes what is left.
template <class T>
struct AngleTerm {
  T energy;
  Vector<T> on_i, on_k;
};

template <class T>
__device__ AngleTerm<T> harmonic_angle(const DeviceAngle<T>& a, const Vector<T>& u,
                                       const Vector<T>& v) {
  constexpr T kStraight = T(1e-12);  // |u x v| in nm^2 under which the plane has no direction
  const Vector<T> w = cross(u, v);
  const T sine = root(dot(w, w));
  const T bend = angle_of(sine, dot(u, v)) - a.angle, slope = a.stiffness * bend;
  const T per_length = slope * inverse(sine < kStraight ? kStraight : sine);
  // With n = w/|w|: d theta/d x_i = (u x n)/u^2 and d theta/d x_k = (n x v)/v^2.
  return {T(0.5) * slope * bend, scaled(per_length * inverse(dot(u, u)), cross(w, u)),
          scaled(per_length * inverse(dot(v, v)), cross(v, w))};
}

}  // namespace arbg::md::cuda
