// E = k/2 (r - length)^2, kLaneCount<T> conformations at a time.
#pragma once

#include <vector>

#include "md/molecule/system.h"
#include "md/terms/lane_vector.h"

namespace arbg::md {

template <class T>
struct LaneBond {
  int i, j;
  T length, k;
};

template <class T>
std::vector<LaneBond<T>> lane_bonds(const System& system) {
  std::vector<LaneBond<T>> bonds;
  for (const HarmonicBond& b : system.bonds) {
    bonds.push_back({b.i, b.j, static_cast<T>(b.length_nm), static_cast<T>(b.k_kj_mol_nm2)});
  }
  return bonds;
}

// Adds forces [N] and returns the energy of each lane.
template <class T>
inline Lanes<T> harmonic_bonds(const std::vector<LaneBond<T>>& bonds, const LaneVector<T>* x,
                               LaneVector<T>* force) {
  Lanes<T> energy{};
  for (const LaneBond<T>& bond : bonds) {
    const LaneVector<T> d = x[bond.j] - x[bond.i];
    const Lanes<T> r = sqrt_lanes(dot(d, d));
    const Lanes<T> stretch = r - bond.length, slope = bond.k * stretch;
    energy += T(0.5) * slope * stretch;
    const LaneVector<T> pull = scaled(slope / r, d);
    force[bond.i] += pull;
    force[bond.j] -= pull;
  }
  return energy;
}

}  // namespace arbg::md
