// A model that improves itself by its own samples and Markov moves at the target.
//
// Walkers (walker_pool.h) start as samples of the model and warm up by local moves. Each round
// draws fresh samples from the weight average, weights them by their exact log q and energies,
// proposes them to the walkers, moves the walkers, and trains some steps on them, by likelihood and
// log variance (nn/training/trainer.h). The raw weights of a round's samples, of which nothing has
// been trained on, are its estimates. Every energy is counted, with gradient or without, but those
// that resuming evaluates again and those of judge().
//
// Several ranks share samples, moves and the shards of training; all of them hold all the rest, and
// begin(), warm_up(), advance(), judge() are calls that they make together. Interrupted means that
// one of them is.
//
// What state() and checkpoint() give after a round, or state() within the warm-up, is enough to go
// on from there bit for bit.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "metrics/weights/weights.h"
#include "nn/files/checkpoint.h"
#include "nn/heads/binned.h"
#include "nn/training/trainer.h"
#include "sampling/proposals/generator.h"
#include "sampling/training/walker_pool.h"

namespace arbg::sampling {

struct RefinementOptions {
  std::int64_t walkers = 8192;
  std::int64_t warm_up = 200;  // local moves of each walker before the first round
  std::int64_t rounds = 50;
  std::int64_t samples = 4096;  // fresh ones in a round
  std::int64_t moves = 16;      // local moves of each walker in a round
  std::int64_t steps = 128;     // of training in a round
  double until = 1;             // mean effective share of five rounds at which to stop
  std::int64_t patience = 15;   // stop after so many rounds without a better mean; 0: never
  double sampling_temperature = 1.03;
  nn::TrainerOptions trainer;  // total_steps is rounds * steps, whatever it says

  nn::TrainerOptions trainer_of_all_rounds() const;  // with that
};

struct RefinementRound {
  std::int64_t round = 0, energies = 0;  // evaluated so far
  double moved = 0, exchanged = 0;       // shares of local moves and of proposals accepted
  metrics::WeightSummary weights;        // raw, of fresh samples
  double nats = 0, variance = 0;         // mean over the round's steps
  double seconds = 0;                    // so far
};

// Whether to stop after rounds of these effective shares: the mean of the last five has reached
// `until`, or the best mean of five is `patience` rounds old. One large weight can halve a round's
// share, so that no single round is trusted.
bool enough_rounds(std::span<const double> ess_fractions, double until, std::int64_t patience);

struct RefinementState {
  std::vector<RefinementRound> history;  // of all complete rounds
  std::int64_t warm_up_moves = 0;        // made of the warm-up
  std::int64_t energies = 0;             // evaluated so far; of no use within the warm-up
  double seconds = 0;                    // so far, of all calls
  double eps = 0;                        // step of the walkers' local moves
  std::vector<double> walkers;           // coordinates [W, K]; none before begin()
};

class Refinement {
 public:
  // `start`: configuration, weights, bins, and in its description the coordinate map and how bins
  // are filled (nn/heads/within_bins.h); the rest of the description goes through to checkpoint().
  // It took that many `energies` to make. A network with placement energies is told where they come
  // from (proposals/atom_placement.h). The potential must outlive the refinement.
  Refinement(const nn::Checkpoint& start, const Potential& potential, RefinementOptions options,
             nn::Backend backend, std::int64_t energies = 0,
             std::shared_ptr<const nn::Placement> placement = {},
             const Ranks& ranks = Ranks::alone());
  Refinement(const Refinement&) = delete;

  // Goes on from what an earlier refinement with the same start and options gave: in its warm-up,
  // or after a round, with the checkpoint of that round.
  void resume_warm_up(const RefinementState& state);
  void resume(const RefinementState& state, const nn::Checkpoint& trained);

  // What comes before the first round: samples of the model, then some moves at a time. False when
  // interrupted: the refinement then is of no more use than its last state.
  bool begin();
  bool begun() const { return pool_.walkers().count() > 0; }
  bool warmed_up() const { return begun() && warm_up_moves_ >= options_.warm_up; }
  bool warm_up();
  std::int64_t warm_up_moves() const { return warm_up_moves_; }
  double accepted() const { return accepted_; }  // share of the last moves of the warm-up

  // One round; false when interrupted, as above. `on_step` is told the round so far and its steps
  // of training.
  bool advance(const std::function<void(const RefinementRound&, std::int64_t steps)>& on_step = {});
  // Whether all rounds are made, or enough_rounds().
  bool done() const;

  // The raw weights of so many more fresh samples; nothing when interrupted.
  std::optional<metrics::WeightSummary> judge(std::int64_t samples) const;

  const RefinementOptions& options() const { return options_; }
  const std::vector<RefinementRound>& history() const { return history_; }
  std::int64_t energies() const { return energies_; }
  double eps() const { return pool_.eps(); }
  std::int64_t coordinates() const { return map_->size(); }  // K
  std::int64_t parameters() const { return network_.parameter_count(); }
  RefinementState state() const;
  nn::Checkpoint checkpoint() const;  // with all that training needs to go on

 private:
  Generator generator() const;
  Decoding decoding() const;
  Walkers sample(const Generator& generator, std::int64_t count, std::uint64_t stream) const;
  bool any_interrupted() const;
  bool draw(RefinementRound& round);
  double seconds() const { return seconds_before_ + nn::steady_seconds() - started_s_; }

  RefinementOptions options_;
  nn::Backend backend_;
  const Ranks& ranks_;
  std::shared_ptr<const nn::Placement> placement_;
  nn::BinnedHead head_;
  Json description_;
  std::unique_ptr<md::CoordinateMap> map_;
  const Potential& potential_;
  nn::Transformer network_;
  WalkerPool pool_;
  nn::Trainer trainer_;
  std::vector<RefinementRound> history_;
  std::int64_t energies_, warm_up_moves_ = 0;
  double accepted_ = 0, seconds_before_ = 0, started_s_;
};

}  // namespace arbg::sampling
