// Generalised Born (OBC) with its surface term, kLaneCount<T> conformations at a time.
//
//   1/B = 1/rho - tanh(alpha psi - beta psi^2 + gamma psi^3)/radius
//   psi = I rho,  rho = radius - offset
//   E = sum over i <= j of -k (1/solute - 1/solvent) q_i q_j / f_ij, half of it for i = j
//     + sum over i of s (radius + probe)^2 (radius/B)^6
//   f^2 = r^2 + B_i B_j exp(-r^2/(4 B_i B_j))
//
// Three sweeps over pairs: descreen (I, and dI/dr kept for later), born_pair (E and dE/dB, in the
// loop of lane_energy.cpp), chain (forces through B). Sources as in generalised_born.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "md/molecule/system.h"
#include "md/terms/lane_vector.h"
#include "md/terms/nonbonded_cpu.h"

namespace arbg::md {

template <class T>
struct LaneBornAtom {
  T rho, reach;      // radius without the offset; rho times the descreening scale
  T inverse_radius;  // of the full radius
  T self, surface;   // -k (1/solute - 1/solvent) q^2/2; s (radius + probe)^2 radius^6
};

template <class T>
struct LaneBorn {
  std::vector<LaneBornAtom<T>> atoms;  // empty: no implicit solvent
  T alpha, beta, gamma;
  bool descreens_inside;
  std::vector<T> near2;  // near_distance2 of each pair of LanePairs
};

// Scratch of one atom and one pair.
template <class T>
struct BornState {
  Lanes<T> integral, radius, inverse_radius;
  Lanes<T> slope;  // dE/dB, then dE/dI
};
template <class T>
struct BornSlopes {
  Lanes<T> on_i, on_j;  // (dI_i/dr)/r; (dI_j/dr)/r
};

// The square of the distance up to which L may differ from r - s, or s/r exceed 1/2, for one of the
// two; not beyond the cutoff.
inline double near_distance2(const System& system, int i, int j) {
  const BornAtom& a = system.born_atoms[static_cast<std::size_t>(i)];
  const BornAtom& b = system.born_atoms[static_cast<std::size_t>(j)];
  double nearest = 0;
  for (const auto& [one, other] : {std::pair(a, b), std::pair(b, a)}) {
    const double rho = one.radius_nm - system.born.offset_nm;
    const double reach = (other.radius_nm - system.born.offset_nm) * other.scale;
    nearest = std::max(nearest, reach + std::max(rho, reach));
  }
  if (system.cutoff_nm > 0) nearest = std::min(nearest, system.cutoff_nm);
  return nearest * nearest;
}

template <class T>
LaneBorn<T> lane_born(const System& system, const LanePairs<T>& list) {
  const BornModel& model = system.born;
  const double factor = -kCoulomb * (1 / model.solute_dielectric - 1 / model.solvent_dielectric);
  LaneBorn<T> born{.atoms = {},
                   .alpha = static_cast<T>(model.alpha),
                   .beta = static_cast<T>(model.beta),
                   .gamma = static_cast<T>(model.gamma),
                   .descreens_inside = model.descreens_inside,
                   .near2 = {}};
  for (std::size_t i = 0; i < system.born_atoms.size(); ++i) {
    const double radius = system.born_atoms[i].radius_nm, rho = radius - model.offset_nm;
    const double charge = system.nonbonded[i].charge_e, wet = radius + model.probe_nm;
    born.atoms.push_back(
        {.rho = static_cast<T>(rho),
         .reach = static_cast<T>(rho * system.born_atoms[i].scale),
         .inverse_radius = static_cast<T>(1 / radius),
         .self = static_cast<T>(factor * charge * charge / 2),
         .surface = static_cast<T>(model.surface_kj_mol_nm2 * wet * wet * std::pow(radius, 6))});
  }
  if (born.atoms.empty()) return born;
  for (const PairRun& run : list.runs) {
    for (std::size_t p = run.begin; p < run.end; ++p)
      born.near2.push_back(static_cast<T>(near_distance2(system, run.i, list.pairs[p].j)));
  }
  return born;
}

// The part of I that an atom of reach s adds for an atom of radius rho at distance r; (dI/dr)/r.
//   I = 1/2 (1/L - 1/U + (r - s^2/r)/4 (1/U^2 - 1/L^2) + log(L/U)/(2r))
// with L = max(rho, |r - s|), U = r + s; nothing if rho >= U. Inside, where rho < s - r, either
// 1/rho - 1/L more (kInside) or 1/L^2 more in dI/dr; else the terms in dL/dr and dU/dr cancel.
template <class T>
struct Descreening {
  Lanes<T> integral, slope;
};

// At any distance.
template <bool kInside, class T>
inline Descreening<T> near_descreening(T rho, T reach, const Lanes<T>& r,
                                       const Lanes<T>& inverse_r) {
  const Lanes<T> gap = r - reach, upper = r + reach, distance = abs_lanes(gap);
  const Lanes<T> lower = select(distance > rho, distance, broadcast(rho));
  const Lanes<T> product = T(1) / (lower * upper);
  const Lanes<T> l = upper * product, u = lower * product;  // 1/lower, 1/upper
  const Lanes<T> half_log = T(0.5) * log_lanes(lower * u) * inverse_r;
  const Lanes<T> squares = (u - l) * (u + l), s2_r = reach * reach * inverse_r;
  Lanes<T> integral2 = l - u + T(0.25) * (r - s2_r) * squares + half_log;  // twice I, and dI/dr
  Lanes<T> slope2 = T(0.25) * (T(1) + s2_r * inverse_r) * squares - half_log * inverse_r;
  const LaneMask<T> inside = gap < -rho;
  if constexpr (kInside)
    integral2 += select(inside, T(2) / rho - T(2) * l, Lanes<T>{});
  else
    slope2 += select(inside, T(2) * l * l, Lanes<T>{});
  const Lanes<T> integral = T(0.5) * integral2, slope = T(0.5) * slope2 * inverse_r;
  const LaneMask<T> swallowed = upper <= rho;
  return {select(swallowed, Lanes<T>{}, integral), select(swallowed, Lanes<T>{}, slope)};
}

// Where L = r - s, which is most pairs, the terms combine to a series in x = (s/r)^2 without
// logarithm or cancellation:
//   I = s^3/(2 r^4) G,  (dI/dr)/r = -s^3/(2 r^6) (2 w^2 + G)
//   w = 1/(1 - x),  G = w - (1/3 + x/5 + x^2/7 + ...)
template <class T>
inline Descreening<T> far_descreening(T reach, const Lanes<T>& r2, const Lanes<T>& inverse_r2) {
  constexpr int kLastOdd = 21;  // enough for float32 where x <= 1/4
  const Lanes<T> x = reach * reach * inverse_r2, w = r2 / (r2 - reach * reach);
  Lanes<T> series = broadcast(T(1) / kLastOdd);
  for (int odd = kLastOdd - 2; odd > 1; odd -= 2) series = series * x + T(1) / static_cast<T>(odd);
  const Lanes<T> g = w - series, front = T(0.5) * reach * x * inverse_r2;
  return {front * g, -front * inverse_r2 * (T(2) * w * w + g)};
}

// Of both atoms, by j and by i; nothing beyond the cutoff. In double, whose series would be as long
// as a logarithm, always by the general formula.
template <bool kCutoff, bool kInside, class T>
inline std::pair<Descreening<T>, Descreening<T>> descreenings(const LaneBornAtom<T>& a,
                                                              const LaneBornAtom<T>& b,
                                                              const Lanes<T>& r2, T cutoff2,
                                                              T near2) {
  Descreening<T> by_j{}, by_i{};
  LaneMask<T> near = r2 <= near2;
  if constexpr (sizeof(T) == 4) {
    Lanes<T> inverse_r2 = T(1) / r2;
    if constexpr (kCutoff) {  // 1/r^2 = 0 makes both exactly 0
      inverse_r2 = select(r2 > cutoff2, Lanes<T>{}, inverse_r2);
    }
    by_j = far_descreening(b.reach, r2, inverse_r2);
    by_i = far_descreening(a.reach, r2, inverse_r2);
    if (!any_lane(near)) return {by_j, by_i};
  } else {
    near = ~near | near;
    if constexpr (kCutoff) near = ~(r2 > cutoff2);  // NaN stays NaN
  }
  // Lane by lane, so that a conformation's numbers do not depend on the others.
  const Lanes<T> r = sqrt_lanes(r2), inverse_r = T(1) / r;
  const Descreening<T> near_j = near_descreening<kInside>(a.rho, b.reach, r, inverse_r);
  const Descreening<T> near_i = near_descreening<kInside>(b.rho, a.reach, r, inverse_r);
  return {{select(near, near_j.integral, by_j.integral), select(near, near_j.slope, by_j.slope)},
          {select(near, near_i.integral, by_i.integral), select(near, near_i.slope, by_i.slope)}};
}

// Integrals I of all atoms, and for each pair the slopes that chain() will use.
template <bool kCutoff, bool kInside, class T>
void descreen_pairs(const LaneBorn<T>& born, const LanePairs<T>& list, const LaneVector<T>* x,
                    BornState<T>* state, BornSlopes<T>* slopes) {
  for (std::size_t i = 0; i < born.atoms.size(); ++i) state[i].integral = Lanes<T>{};
  for (const PairRun& run : list.runs) {
    const LaneBornAtom<T>& a = born.atoms[static_cast<std::size_t>(run.i)];
    const LaneVector<T> xi = x[run.i];
    Lanes<T> sum = state[run.i].integral;
    for (std::size_t p = run.begin; p < run.end; ++p) {
      const int j = list.pairs[p].j;
      const LaneBornAtom<T>& b = born.atoms[static_cast<std::size_t>(j)];
      const LaneVector<T> d = x[j] - xi;
      const Lanes<T> r2 = dot(d, d);
      const auto [by_j, by_i] =
          descreenings<kCutoff, kInside>(a, b, r2, list.cutoff2, born.near2[p]);
      sum += by_j.integral;
      state[j].integral += by_i.integral;
      slopes[p] = {by_j.slope, by_i.slope};
    }
    state[run.i].integral = sum;
  }
}

template <bool kCutoff, class T>
void descreen(const LaneBorn<T>& born, const LanePairs<T>& list, const LaneVector<T>* x,
              BornState<T>* state, BornSlopes<T>* slopes) {
  const auto sweep =
      born.descreens_inside ? descreen_pairs<kCutoff, true, T> : descreen_pairs<kCutoff, false, T>;
  sweep(born, list, x, state, slopes);
}

// Radii B from the integrals, the energies that belong to single atoms, and their dE/dB.
template <class T>
Lanes<T> born_radii(const LaneBorn<T>& born, BornState<T>* state) {
  Lanes<T> energy{};
  for (std::size_t i = 0; i < born.atoms.size(); ++i) {
    const LaneBornAtom<T>& a = born.atoms[i];
    const Lanes<T> psi = state[i].integral * a.rho;
    const Lanes<T> argument = psi * (born.alpha + psi * (psi * born.gamma - born.beta));
    const Lanes<T> tanh = T(1) - T(2) / (exp_lanes(T(2) * argument) + T(1));
    const Lanes<T> inverse = T(1) / a.rho - tanh * a.inverse_radius;
    const Lanes<T> inverse2 = inverse * inverse;
    const Lanes<T> self = a.self * inverse, surface = a.surface * inverse2 * inverse2 * inverse2;
    state[i].radius = T(1) / inverse;
    state[i].inverse_radius = inverse;
    state[i].slope = -(self + T(6) * surface) * inverse;
    energy += self + surface;
  }
  return energy;
}

// Adds dE/dB of both atoms to their states.
template <bool kCutoff, class T>
inline PairTerm<T> born_pair(const LanePair<T>& pair, const LanePairs<T>& list, const Lanes<T>& r2,
                             const BornState<T>& a, const BornState<T>& b, Lanes<T>& slope_a,
                             Lanes<T>& slope_b) {
  const Lanes<T> quarter = T(0.25) * r2 * a.inverse_radius * b.inverse_radius;
  const Lanes<T> gauss = exp_lanes(-quarter);
  const Lanes<T> inverse_f = T(1) / sqrt_lanes(r2 + a.radius * b.radius * gauss);
  Lanes<T> energy = pair.born * inverse_f;
  Lanes<T> pull = energy * inverse_f * inverse_f;  // -2 dE/d(f^2)
  if constexpr (kCutoff) {
    const LaneMask<T> outside = r2 > list.cutoff2;
    energy = select(outside, Lanes<T>{}, energy - pair.born * list.born_shift);
    pull = select(outside, Lanes<T>{}, pull);
  }
  const Lanes<T> by_radius = T(-0.5) * pull * gauss * (T(1) + quarter);
  slope_a += by_radius * b.radius;
  slope_b += by_radius * a.radius;
  return {energy, pull * (T(0.25) * gauss - T(1))};
}

// Turns dE/dB into dE/dI:
//   dB/dI = B^2 (rho/radius) (1 - tanh^2) (alpha - 2 beta psi + 3 gamma psi^2)
template <class T>
void integral_slopes(const LaneBorn<T>& born, BornState<T>* state) {
  for (std::size_t i = 0; i < born.atoms.size(); ++i) {
    const LaneBornAtom<T>& a = born.atoms[i];
    const Lanes<T> psi = state[i].integral * a.rho;
    const Lanes<T> tanh = (T(1) / a.rho - state[i].inverse_radius) / a.inverse_radius;
    const Lanes<T> polynomial = born.alpha + psi * (T(3) * born.gamma * psi - T(2) * born.beta);
    state[i].slope *= state[i].radius * state[i].radius * (a.rho * a.inverse_radius) *
                      (T(1) - tanh * tanh) * polynomial;
  }
}

// Adds the forces through the integrals: -dE/dI_i dI_i/dr - dE/dI_j dI_j/dr along each pair.
// Backwards: the slopes that descreen() wrote last are still in the cache.
template <class T>
void chain(const LanePairs<T>& list, const LaneVector<T>* x, const BornState<T>* state,
           const BornSlopes<T>* slopes, LaneVector<T>* force) {
  for (std::size_t k = list.runs.size(); k-- > 0;) {
    const PairRun& run = list.runs[k];
    const LaneVector<T> xi = x[run.i];
    const Lanes<T> slope_i = state[run.i].slope;
    LaneVector<T> on_i = force[run.i];
    for (std::size_t p = run.end; p-- > run.begin;) {
      const int j = list.pairs[p].j;
      const LaneVector<T> pull =
          scaled(slope_i * slopes[p].on_i + state[j].slope * slopes[p].on_j, x[j] - xi);
      on_i += pull;
      force[j] -= pull;
    }
    force[run.i] = on_i;
  }
}

}  // namespace arbg::md
