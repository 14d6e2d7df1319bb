#include "md/lane_energy.h"

#include <algorithm>

#include "tensor/base/error.h"
#include "tensor/base/threads.h"

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
typename LaneEnergy<T>::Scratch LaneEnergy<T>::make_scratch() const {
  Scratch scratch;
  scratch.atoms.resize(born_.atoms.size());
  if (!born_.atoms.empty()) scratch.pairs.resize(pairs_.pairs.size());
  return scratch;
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

namespace {

// Conformations [first, first + kLaneCount) of [B, N, 3] into lanes; beyond the last, the last
// again.
void load_group(std::span<const double> positions, std::size_t atoms, std::size_t first,
                std::size_t batch, LaneVector<double>* x) {
  for (std::size_t lane = 0; lane < kLaneCount<double>; ++lane) {
    const double* from = positions.data() + std::min(first + lane, batch - 1) * atoms * 3;
    for (std::size_t a = 0; a < atoms; ++a) {
      x[a].x[lane] = from[3 * a];
      x[a].y[lane] = from[3 * a + 1];
      x[a].z[lane] = from[3 * a + 2];
    }
  }
}

void store_group(const LaneEnergy<double>::Terms& terms, const LaneVector<double>* force,
                 std::size_t atoms, std::size_t first, std::size_t batch, EnergyResult& result) {
  for (std::size_t lane = 0; lane < kLaneCount<double> && first + lane < batch; ++lane) {
    const std::size_t b = first + lane;
    double energy = 0;
    for (std::size_t t = 0; t < kTermCount; ++t) {
      result.terms_kj_mol[b * kTermCount + t] = terms.value[t][lane];
      energy += terms.value[t][lane];
    }
    result.energy_kj_mol[b] = energy;
    if (result.forces_kj_mol_nm.empty()) continue;
    double* to = result.forces_kj_mol_nm.data() + b * atoms * 3;
    for (std::size_t a = 0; a < atoms; ++a) {
      to[3 * a] = force[a].x[lane];
      to[3 * a + 1] = force[a].y[lane];
      to[3 * a + 2] = force[a].z[lane];
    }
  }
}

}  // namespace

void evaluate_lanes(const System& system, std::span<const double> positions_nm, bool with_forces,
                    EnergyResult& result) {
  const auto atoms = static_cast<std::size_t>(system.atom_count());
  require(atoms > 0 && positions_nm.size() % (3 * atoms) == 0, "expected positions of shape [B, ",
          atoms, ", 3], found ", positions_nm.size(), " numbers");
  const std::size_t batch = positions_nm.size() / (3 * atoms);
  result.energy_kj_mol.assign(batch, 0);
  result.terms_kj_mol.assign(batch * kTermCount, 0);
  result.forces_kj_mol_nm.assign(with_forces ? positions_nm.size() : 0, 0);

  const LaneEnergy<double> energy(system);
  constexpr std::size_t kGroupsATask = 4;  // shares one scratch among a few groups
  const std::size_t groups = (batch + kLaneCount<double> - 1) / kLaneCount<double>;
  const std::size_t tasks = (groups + kGroupsATask - 1) / kGroupsATask;
  parallel_for(static_cast<std::int64_t>(tasks), [&](std::int64_t task) {
    auto scratch = energy.make_scratch();
    std::vector<LaneVector<double>> x(atoms), force(atoms);
    const std::size_t begin = static_cast<std::size_t>(task) * kGroupsATask;
    for (std::size_t g = begin; g < std::min(begin + kGroupsATask, groups); ++g) {
      const std::size_t first = g * kLaneCount<double>;
      load_group(positions_nm, atoms, first, batch, x.data());
      const auto terms = energy.evaluate(x.data(), force.data(), scratch);
      store_group(terms, force.data(), atoms, first, batch, result);
    }
  });
}

}  // namespace arbg::md
