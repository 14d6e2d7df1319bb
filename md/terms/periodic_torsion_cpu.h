// E = sum over n of k_n (1 + cos(n phi - phase_n)), kLaneCount<T> conformations at a time.
//
// The terms of one quadruple are gathered into a Fourier series in phi. cos phi and sin phi come
// from the geometry (Blondel, Karplus, J. Comput. Chem. 17, 1132, 1996), multiples of phi by
// recurrence: no angle is ever computed.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <vector>

#include "md/molecule/system.h"
#include "md/terms/lane_vector.h"
#include "tensor/base/error.h"

namespace arbg::md {

// E = constant + sum over n = 1 .. order of cosine[n-1] cos(n phi) + sine[n-1] sin(n phi)
template <class T>
struct LaneTorsion {
  int i, j, k, l, order = 0;
  T constant = 0;
  std::array<T, kMostPeriodicity> cosine{}, sine{};
};

template <class T>
std::vector<LaneTorsion<T>> lane_torsions(const System& system) {
  std::vector<LaneTorsion<T>> torsions;
  std::map<std::array<int, 4>, std::size_t> place;
  for (const PeriodicTorsion& t : system.torsions) {
    require(t.periodicity >= 1 && t.periodicity <= kMostPeriodicity,
            "expected a torsion periodicity from 1 to ", kMostPeriodicity, ", found ",
            t.periodicity, " between atoms ", t.i, ", ", t.j, ", ", t.k, ", ", t.l);
    const auto [entry, added] = place.try_emplace({t.i, t.j, t.k, t.l}, torsions.size());
    if (added) torsions.push_back({.i = t.i, .j = t.j, .k = t.k, .l = t.l});
    LaneTorsion<T>& torsion = torsions[entry->second];
    const auto n = static_cast<std::size_t>(t.periodicity - 1);
    torsion.order = std::max(torsion.order, t.periodicity);
    torsion.constant += static_cast<T>(t.k_kj_mol);
    torsion.cosine[n] += static_cast<T>(t.k_kj_mol * std::cos(t.phase_rad));
    torsion.sine[n] += static_cast<T>(t.k_kj_mol * std::sin(t.phase_rad));
  }
  return torsions;
}

// Adds forces [N] and returns the energy of each lane.
template <class T>
inline Lanes<T> periodic_torsions(const std::vector<LaneTorsion<T>>& torsions,
                                  const LaneVector<T>* x, LaneVector<T>* force) {
  Lanes<T> energy{};
  for (const LaneTorsion<T>& t : torsions) {
    const LaneVector<T> f = x[t.i] - x[t.j], g = x[t.j] - x[t.k], h = x[t.l] - x[t.k];
    const LaneVector<T> a = cross(f, g), b = cross(h, g);
    const Lanes<T> a2 = dot(a, a), b2 = dot(b, b), g2 = dot(g, g);
    const Lanes<T> g_length = sqrt_lanes(g2), per_ab = T(1) / sqrt_lanes(a2 * b2);
    const Lanes<T> cosine = dot(a, b) * per_ab;
    const Lanes<T> sine = dot(cross(b, a), g) * per_ab / g_length;

    Lanes<T> cos_n = cosine, sin_n = sine, slope{};  // slope = dE/dphi
    energy += t.constant;
    for (int n = 1; n <= t.order; ++n) {
      const T c = t.cosine[static_cast<std::size_t>(n - 1)],
              s = t.sine[static_cast<std::size_t>(n - 1)];
      energy += c * cos_n + s * sin_n;
      slope += static_cast<T>(n) * (s * cos_n - c * sin_n);
      const Lanes<T> next = cos_n * cosine - sin_n * sine;
      sin_n = sin_n * cosine + cos_n * sine;
      cos_n = next;
    }

    // d phi/d x_i = -|g|/a^2 a and d phi/d x_l = |g|/b^2 b; the inner atoms take what is left of
    // force and torque.
    const LaneVector<T> on_i = scaled(slope * g_length / a2, a);
    const LaneVector<T> on_l = scaled(-slope * g_length / b2, b);
    const LaneVector<T> shared = scaled(dot(f, g) / g2, on_i) + scaled(dot(h, g) / g2, on_l);
    force[t.i] += on_i;
    force[t.j] -= on_i + shared;
    force[t.k] += shared - on_l;
    force[t.l] += on_l;
  }
  return energy;
}

}  // namespace arbg::md
