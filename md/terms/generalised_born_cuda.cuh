// Generalised Born (OBC) with its surface term: what one thread computes of a pair or an atom; in
// float or double.
//
// Formulas as in generalised_born_cpu.h, but that one serves all distances: where its terms cancel,
// far away, what rounding leaves of them is small beside the sum over atoms.
#pragma once

#include "md/terms/device_tables.h"
#include "md/terms/device_vector.cuh"

namespace arbg::md::cuda {

// The part of I that an atom of reach s adds for an atom of radius rho at distance r; (dI/dr)/r.
template <class T>
struct Descreening {
  T integral, slope;
};

template <class T>
__device__ Descreening<T> descreening(T rho, T reach, T r, T inverse_r, bool descreens_inside) {
  const T gap = r - reach, upper = r + reach, distance = gap < 0 ? -gap : gap;
  const T lower = rho > distance ? rho : distance;
  const T product = inverse(lower * upper);
  const T l = upper * product, u = lower * product;  // 1/lower, 1/upper
  const T half_log = T(0.5) * logarithm(lower * u) * inverse_r;
  const T squares = (u - l) * (u + l), s2_r = reach * reach * inverse_r;
  T integral2 = l - u + T(0.25) * (r - s2_r) * squares + half_log;  // twice I, and dI/dr
  T slope2 = T(0.25) * (1 + s2_r * inverse_r) * squares - half_log * inverse_r;
  if (gap < -rho) {  // the atom lies inside the other's sphere
    if (descreens_inside)
      integral2 += 2 * inverse(rho) - 2 * l;
    else
      slope2 += 2 * l * l;
  }
  if (upper <= rho) return {0, 0};  // swallowed by the atom itself
  return {T(0.5) * integral2, T(0.5) * slope2 * inverse_r};
}

// B of an atom, 1/B, dB/dI, and what belongs to the atom alone: its energy and dE/dB.
template <class T>
struct BornRadius {
  T radius, inverse_radius, by_integral, energy, slope;
};

template <class T>
__device__ BornRadius<T> born_radius(const DeviceMolecule<T>& model, const DeviceAtom<T>& a,
                                     T integral) {
  const T psi = integral * a.rho;
  const T tanh = hyperbolic_tangent(psi * (model.alpha + psi * (psi * model.gamma - model.beta)));
  const T inverse_radius = 1 / a.rho - tanh * a.inverse_radius, radius = 1 / inverse_radius;
  const T inverse2 = inverse_radius * inverse_radius;
  const T self = a.self * inverse_radius, surface = a.surface * inverse2 * inverse2 * inverse2;
  const T polynomial = model.alpha + psi * (3 * model.gamma * psi - 2 * model.beta);
  return {radius, inverse_radius,
          radius * radius * a.rho * a.inverse_radius * (1 - tanh * tanh) * polynomial,
          self + surface, -(self + 6 * surface) * inverse_radius};
}

// Of a pair; by_radius is dE/dB of the first.
template <class T>
struct BornPair {
  T energy, slope, by_radius;
};

// strength = -k (1/solute - 1/solvent) q q; radii B and 1/B of both.
template <class T>
__device__ BornPair<T> born_pair(T strength, T r2, T radius_i, T inverse_i, T radius_j, T inverse_j,
                                 T shift) {
  const T quarter = T(0.25) * r2 * inverse_i * inverse_j, gauss = exponential(-quarter);
  const T inverse_f = inverse_root(r2 + radius_i * radius_j * gauss);
  const T energy = strength * inverse_f;
  const T pull = energy * inverse_f * inverse_f;  // -2 dE/d(f^2)
  return {energy - strength * shift, pull * (T(0.25) * gauss - 1),
          T(-0.5) * pull * gauss * (1 + quarter) * radius_j};
}

}  // namespace arbg::md::cuda
