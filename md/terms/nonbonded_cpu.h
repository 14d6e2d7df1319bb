// Lennard-Jones and Coulomb of a pair, kLaneCount<T> conformations at a time; the list of pairs.
//
//   E = 4 epsilon ((sigma/r)^12 - (sigma/r)^6) + k q q (1/r - shift)
//
// All pairs i < j stand in one list: plain pairs, 1-4 pairs with their own
// parameters and no cutoff, and excluded pairs with zeros, which generalised Born still needs. The
// one loop over it is in lane_energy.cpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "md/molecule/system.h"
#include "md/molecule/units.h"
#include "md/terms/lane_vector.h"
#include "tensor/base/error.h"

namespace arbg::md {

template <class T>
struct LanePair {
  int j;
  T coulomb = 0;       // k q q in kJ/mol nm
  T sigma2 = 0;        // sigma^2 in nm^2
  T four_epsilon = 0;  // 4 epsilon in kJ/mol
  T range2 = 0;        // LJ and Coulomb only where r^2 <= range2
  T shift = 0;         // 1/cutoff, or 0
  T born = 0;          // -k (1/solute - 1/solvent) q q in kJ/mol nm
};

// Pairs [begin, end) have the first atom i; their second atoms lie in one tile.
struct PairRun {
  int i;
  std::size_t begin, end;
};

// Ordered by tiles of second atoms, so that what a sweep reads and writes of them stays in the
// first cache.
inline constexpr int kAtomsInTile = 32;

template <class T>
struct LanePairs {
  std::vector<LanePair<T>> pairs;
  std::vector<PairRun> runs;
  T cutoff2 = 0, born_shift = 0;  // cutoff^2 and 1/cutoff, or 0 without a cutoff
};

// Without generalised Born, pairs that do not interact are left out.
template <class T>
LanePairs<T> lane_pairs(const System& system) {
  const int n = system.atom_count();
  const auto at = [n](int i, int j) {
    return static_cast<std::size_t>(std::min(i, j) * n + std::max(i, j));
  };
  std::vector<LanePair<T>> table(static_cast<std::size_t>(n) * static_cast<std::size_t>(n));
  const double cutoff = system.cutoff_nm, infinity = std::numeric_limits<double>::infinity();
  const double born_factor =
      -kCoulomb * (1 / system.born.solute_dielectric - 1 / system.born.solvent_dielectric);
  for (int i = 0; i < n; ++i) {
    for (int j = i + 1; j < n; ++j) {
      const Nonbonded& a = system.nonbonded[static_cast<std::size_t>(i)];
      const Nonbonded& b = system.nonbonded[static_cast<std::size_t>(j)];
      const double sigma = (a.sigma_nm + b.sigma_nm) / 2;
      table[at(i, j)] = {
          .j = j,
          .coulomb = static_cast<T>(kCoulomb * a.charge_e * b.charge_e),
          .sigma2 = static_cast<T>(sigma * sigma),
          .four_epsilon = static_cast<T>(4 * std::sqrt(a.epsilon_kj_mol * b.epsilon_kj_mol)),
          .range2 = static_cast<T>(cutoff > 0 ? cutoff * cutoff : infinity),
          .shift = static_cast<T>(cutoff > 0 ? 1 / cutoff : 0),
          .born = static_cast<T>(born_factor * a.charge_e * b.charge_e)};
    }
  }
  for (const auto& [i, j] : system.exclusions) {
    LanePair<T>& pair = table[at(i, j)];
    pair = {.j = pair.j, .born = pair.born};
  }
  for (const ScaledPair& s : system.scaled_pairs) {
    LanePair<T>& pair = table[at(s.i, s.j)];
    require(pair.range2 == 0, "expected each 1-4 pair once, and among the exclusions; atoms ", s.i,
            " and ", s.j, " are not");
    pair = {.j = pair.j,
            .coulomb = static_cast<T>(kCoulomb * s.charge_product_e2),
            .sigma2 = static_cast<T>(s.sigma_nm * s.sigma_nm),
            .four_epsilon = static_cast<T>(4 * s.epsilon_kj_mol),
            .range2 = static_cast<T>(infinity),
            .born = pair.born};
  }
  LanePairs<T> list;
  list.cutoff2 = static_cast<T>(cutoff * cutoff);
  list.born_shift = static_cast<T>(cutoff > 0 ? 1 / cutoff : 0);
  const bool all = !system.born_atoms.empty();
  for (int tile = 0; tile < n; tile += kAtomsInTile) {
    for (int i = 0; i < n; ++i) {
      const std::size_t begin = list.pairs.size();
      for (int j = std::max(i + 1, tile); j < std::min(tile + kAtomsInTile, n); ++j) {
        const LanePair<T>& pair = table[at(i, j)];
        if (all || pair.coulomb != 0 || pair.four_epsilon != 0) list.pairs.push_back(pair);
      }
      if (list.pairs.size() > begin) list.runs.push_back({i, begin, list.pairs.size()});
    }
  }
  return list;
}

// slope is (dE/dr)/r, so that the force on i is slope (x_j - x_i).
template <class T>
struct PairTerm {
  Lanes<T> energy, slope;
};

template <bool kCutoff, class T>
inline PairTerm<T> nonbonded_pair(const LanePair<T>& pair, const Lanes<T>& r2) {
  const Lanes<T> inverse_r = T(1) / sqrt_lanes(r2);
  const Lanes<T> inverse_r2 = inverse_r * inverse_r;
  const Lanes<T> s2 = pair.sigma2 * inverse_r2, s6 = s2 * s2 * s2;
  const Lanes<T> attraction = pair.four_epsilon * s6, repulsion = attraction * s6;
  const Lanes<T> coulomb = pair.coulomb * inverse_r;
  const Lanes<T> slope = (T(6) * attraction - T(12) * repulsion - coulomb) * inverse_r2;
  if constexpr (kCutoff) {
    const LaneMask<T> outside = r2 > pair.range2;
    const Lanes<T> energy = repulsion - attraction + coulomb - pair.coulomb * pair.shift;
    return {select(outside, Lanes<T>{}, energy), select(outside, Lanes<T>{}, slope)};
  }
  return {repulsion - attraction + coulomb, slope};
}

}  // namespace arbg::md
