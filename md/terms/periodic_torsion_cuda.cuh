// E = sum over n of k_n (1 + cos(n phi - phase_n)) of one quadruple of atoms by one thread, as a
// Fourier series in phi; in float or double.
//
// cos phi and sin phi come from the geometry, multiples by recurrence. Formulas as in
// periodic_torsion_cpu.h.
#pragma once

#include "md/terms/device_tables.h"
#include "md/terms/device_vector.cuh"

namespace arbg::md::cuda {

template <class T>
struct TorsionTerm {
  T energy;
  Vector<T> on_i, on_j, on_k, on_l;
};

template <class T>
__device__ TorsionTerm<T> periodic_torsion(const DeviceTorsion<T>& t, const Vector<T>& f,
                                           const Vector<T>& g, const Vector<T>& h) {
  const Vector<T> a = cross(f, g), b = cross(h, g);
  const T inverse_a2 = inverse(dot(a, a)), inverse_b2 = inverse(dot(b, b)), g2 = dot(g, g);
  const T inverse_g = inverse_root(g2), per_ab = inverse_root(dot(a, a) * dot(b, b));
  const T cosine = dot(a, b) * per_ab, sine = dot(cross(b, a), g) * per_ab * inverse_g;

  T cos_n = cosine, sin_n = sine, energy = t.constant, slope = 0;  // slope = dE/dphi
  ARBG_UNROLL
  for (int n = 1; n <= kMostPeriodicity; ++n) {
    if (n > t.order) break;
    const T c = t.cosine[n - 1], s = t.sine[n - 1];
    energy += c * cos_n + s * sin_n;
    slope += static_cast<T>(n) * (s * cos_n - c * sin_n);
    const T next = cos_n * cosine - sin_n * sine;
    sin_n = sin_n * cosine + cos_n * sine;
    cos_n = next;
  }

  // d phi/d x_i = -|g|/a^2 a and d phi/d x_l = |g|/b^2 b; the inner atoms take what is left of
  // force and torque.
  const T pull = slope * g2 * inverse_g, inverse_g2 = inverse_g * inverse_g;
  const Vector<T> on_i = scaled(pull * inverse_a2, a), on_l = scaled(-pull * inverse_b2, b);
  const Vector<T> shared =
      scaled(dot(f, g) * inverse_g2, on_i) + scaled(dot(h, g) * inverse_g2, on_l);
  return {energy, on_i, scaled(T(-1), on_i + shared), shared - on_l, on_l};
}

}  // namespace arbg::md::cuda
