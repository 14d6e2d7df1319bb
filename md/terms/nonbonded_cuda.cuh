// Lennard-Jones and Coulomb of one pair by one thread; in float or double.
//
//   E = 4 epsilon ((sigma/r)^12 - (sigma/r)^6) + k q q (1/r - shift)
#pragma once

#include "md/terms/harmonic_bond_cuda.cuh"

namespace arbg::md::cuda {

// inverse_r and the pair's k q q, sigma^2 and 4 epsilon.
template <class T>
__device__ PairTerm<T> nonbonded_pair(T inverse_r, T coulomb, T sigma2, T four_epsilon, T shift) {
  const T inverse_r2 = inverse_r * inverse_r, s2 = sigma2 * inverse_r2, s6 = s2 * s2 * s2;
  const T attraction = four_epsilon * s6, repulsion = attraction * s6;
  const T charges = coulomb * inverse_r;
  return {repulsion - attraction + charges - coulomb * shift,
          (T(6) * attraction - T(12) * repulsion - charges) * inverse_r2};
}

}  // namespace arbg::md::cuda
