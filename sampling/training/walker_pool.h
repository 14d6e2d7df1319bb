// A population of walkers at the target, kept there by Markov moves, as training batches: what a
// model learns from that has no data.
//
// Two kinds of moves, each of which leaves pi alone whatever the model is, at a given step and
// given lengths (these adapt to the walkers, so that their stationary distribution is pi only as
// far as they have settled):
//   local    Langevin moves (hamiltonian_move.h, one step, b = 1), without the network
//   global   walker x takes a fresh sample y of the model with probability min(1, w(y) / w(x)),
//            w = pi / q: Metropolis with independent proposals (Hastings, Biometrika 57, 1970)
// Local moves relax what the model proposes; global ones set the populations of basins right, the
// better the model, the faster. A walker that came from a poor model is at pi only after moves of
// both kinds: the pool is for training, and estimates are made of fresh samples.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nn/training/trainer.h"
#include "sampling/smc/hamiltonian_move.h"

namespace arbg::sampling {

class WalkerPool : public nn::TrainingBatchSource {
 public:
  // All references must outlive the pool. Ranks all hold all walkers; what moves them, relax() and
  // exchange(), is done together and shared.
  WalkerPool(const md::CoordinateMap& map, const nn::Head& head, const Potential& potential,
             std::uint64_t seed, const Ranks& ranks = Ranks::alone());

  // As many walkers as there are samples; those of infinite energy are replaced by others. Throws
  // Error if all are such.
  void start(Walkers samples);
  // Walkers at coordinates [W, K] of an earlier pool, with its step. Throws Error if no pool has
  // such.
  void restore(std::span<const double> coordinates, double eps);

  const Walkers& walkers() const { return walkers_; }
  double eps() const { return eps_; }

  // Local moves of all walkers, with lengths taken from them before; then the step adapts. Random
  // numbers are those of `sweep`. Returns the share accepted. Interrupted, it leaves some of them
  // where they are.
  double relax(std::int64_t moves, std::uint64_t sweep);

  // Fresh samples of a model, with their energies and log q, proposed one each to
  // walkers round * samples + i modulo W. Returns the share accepted; 0, and no walker has changed,
  // when interrupted.
  double exchange(const Walkers& fresh, const Proposal& proposal, std::int64_t round);

  // Rows drawn evenly, with replacement, by (seed, step).
  void fill(std::int64_t step, std::span<double> z, std::span<double> log_target) override;

 private:
  const md::CoordinateMap& map_;
  const nn::Head& head_;
  const Potential& potential_;
  std::uint64_t seed_;
  const Ranks& ranks_;
  double eps_ = 0.5;
  Walkers walkers_;
};

}  // namespace arbg::sampling
