#include "md/energy/lane_energy.h"

#include <algorithm>

namespace arbg::md {

template <class T>
LaneEnergy<T>::LaneEnergy(const System& system)
    : atom_count_(system.atom_count()),
      has_cutoff_(system.cutoff_nm > 0),
      bonds_(lane_bonds<T>(system)),
      angles_(lane_angles<T>(system)),
      torsions_(lane_torsions<T>(system)),
      pairs_(lane_pairs<T>(system)),
      born_(lane_born<T>(system, pairs_)) {}

template <class T>
void LaneEnergy<T>::fit(Scratch& scratch) const {
  scratch.atoms.resize(born_.atoms.size());
  scratch.pairs.resize(born_.atoms.empty() ? 0 : pairs_.pairs.size());
}

template <class T>
typename LaneEnergy<T>::Terms LaneEnergy<T>::evaluate(const LaneVector<T>* x, LaneVector<T>* force,
                                                      Scratch& scratch) const {
  std::fill(force, force + atom_count_, LaneVector<T>{});
  Terms terms{};
  terms.value[0] = harmonic_bonds(bonds_, x, force);
  terms.value[1] = harmonic_angles(angles_, x, force);
  terms.value[2] = periodic_torsions(torsions_, x, force);
  const bool has_born = !born_.atoms.empty();
  if (has_born && has_cutoff_) evaluate_pairs<true, true>(x, force, scratch, terms);
  if (has_born && !has_cutoff_) evaluate_pairs<false, true>(x, force, scratch, terms);
  if (!has_born && has_cutoff_) evaluate_pairs<true, false>(x, force, scratch, terms);
  if (!has_born && !has_cutoff_) evaluate_pairs<false, false>(x, force, scratch, terms);
  return terms;
}

template <class T>
template <bool kCutoff, bool kBorn>
void LaneEnergy<T>::evaluate_pairs(const LaneVector<T>* x, LaneVector<T>* force, Scratch& scratch,
                                   Terms& terms) const {
  BornState<T>* const state = scratch.atoms.data();
  BornSlopes<T>* const slopes = scratch.pairs.data();
  Lanes<T> nonbonded{}, solvent{};
  if constexpr (kBorn) {
    descreen<kCutoff>(born_, pairs_, x, state, slopes);
    solvent = born_radii(born_, state);
  }
  for (const PairRun& run : pairs_.runs) {
    const LaneVector<T> xi = x[run.i];
    LaneVector<T> on_i = force[run.i];
    BornState<T> state_i{};
    if constexpr (kBorn) state_i = state[run.i];
    for (std::size_t p = run.begin; p < run.end; ++p) {
      const LanePair<T>& pair = pairs_.pairs[p];
      const LaneVector<T> d = x[pair.j] - xi;
      const Lanes<T> r2 = dot(d, d);
      const PairTerm<T> plain = nonbonded_pair<kCutoff>(pair, r2);
      nonbonded += plain.energy;
      Lanes<T> slope = plain.slope;
      if constexpr (kBorn) {
        BornState<T>& state_j = state[pair.j];
        const PairTerm<T> born =
            born_pair<kCutoff>(pair, pairs_, r2, state_i, state_j, state_i.slope, state_j.slope);
        solvent += born.energy;
        slope += born.slope;
      }
      const LaneVector<T> pull = scaled(slope, d);
      on_i += pull;
      force[pair.j] -= pull;
    }
    force[run.i] = on_i;
    if constexpr (kBorn) state[run.i].slope = state_i.slope;
  }
  if constexpr (kBorn) {
    integral_slopes(born_, state);
    chain(pairs_, x, state, slopes, force);
  }
  terms.value[3] = nonbonded;
  terms.value[4] = solvent;
}

template class LaneEnergy<float>;
template class LaneEnergy<double>;

}  // namespace arbg::md
