// E = k/2 (r - length)^2 of one bond, by one thread; in float or double.
#pragma once

#include "md/terms/device_tables.h"
#include "md/terms/device_vector.cuh"

namespace arbg::md::cuda {

// The energy of a pair of atoms and its slope (dE/dr)/r: the force on i is slope (x_j - x_i).
template <class T>
struct PairTerm {
  T energy, slope;
};

template <class T>
__device__ PairTerm<T> harmonic_bond(const DeviceBond<T>& bond, const Vector<T>& d) {
  const T r = root(dot(d, d)), stretch = r - bond.length, pull = bond.k * stretch;
  return {T(0.5) * pull * stretch, pull / r};
}

}  // namespace arbg::md::cuda
