// Maximum-likelihood training that can be killed at any time and resumed.
//
// Loss of a molecule: [-log q - s S + lambda H(log q - log_target - c)] / T, averaged over the
// batch; log q is the sum of the head's log p (nn/heads/head.h: of bins it is of cells, without
// their widths); T counts its own positions, without padding; S smooths labels (label_smoothing.h);
// H(d) = d^2/2 for |d| <= clip, and linear beyond; c, the running mean of log q - log_target,
// estimates -log Z. lambda = 0 is maximum likelihood as published; the second term (ours; it uses
// the energies of the frames) is the log-variance loss of Richter et al., "VarGrad", NeurIPS 2020.
// There log q is that of draws (Head::log_drawn()), without a gradient of what it adds.
//
// How large lambda is best: near the target, d = log q - log_target - c is small, and s the
// gradient of log q. Over frames of the target E[s] = -E[d s] to first order: both terms pull the
// same way, together by (1 + lambda) of it, with a noise of variance (1 + lambda^2 v) E[s^2], v =
// E[d^2]. Their ratio (1 + lambda)^2/(1 + lambda^2 v) is largest at lambda = 1/v, 1 + 1/v: the
// closer q is, the less of a batch is noise. So lambda = clamp(1/v, variance_weight,
// variance_weight_most) where the latter is larger, v a running mean of d^2, |d| <= clip.
//
// A batch is cut into a number of shards, each with a replica of the network; their gradients are
// the leaves of a binary sum (tensor/base/ranks.h). The options alone fix the shards, so that the
// numbers do not depend on threads or ranks; more of these than shards find nothing to do in a
// step's passes. Of several ranks each runs its share of the shards, and holds all the rest.
// Clipping, AdamW, Muon or SOAP, and the schedules of schedule.h. Dropout is keyed by (seed, step,
// place of the molecule).
//
// A run has a number of steps, or a time budget. By the budget, the learning rate follows the share
// of it that the steps so far have taken, in millionths as if these were steps, and the run ends
// with the step whose end is nearest to the budget, however the speed of the machine changes
// meanwhile. The seconds spent are in the checkpoint, and a resumed run has those that are left. So
// only a run of a given number of steps is the same, bit for bit, whenever it is repeated or
// resumed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nn/files/checkpoint.h"
#include "nn/heads/head.h"
#include "nn/optimizer/adamw.h"
#include "nn/optimizer/optimizer.h"
#include "nn/optimizer/weight_average.h"
#include "nn/training/early_stopping.h"
#include "nn/training/training_pass.h"
#include "nn/transformer/transformer.h"
#include "tensor/base/ranks.h"
#include "tensor/device/repeated.h"

namespace arbg::nn {

// Where batches come from. fill() must be a function of step alone (and of what the source was made
// with), so that a resumed run needs no saved position. z: coordinates, B rows of T. log_target: B
// numbers, log of the unnormalised target density (any constant added), or empty if the trainer
// does not want them. Called from one thread.
struct TrainingBatchSource {
  virtual ~TrainingBatchSource() = default;
  virtual void fill(std::int64_t step, std::span<double> z, std::span<double> log_target) = 0;

  // What the B molecules of that batch are, for conditioned networks and batches with padding.
  virtual Molecules molecules(std::int64_t /*step*/, Backend /*backend*/) { return {}; }
};

enum class OptimizerKind { adamw, muon, soap };
const char* name_of(OptimizerKind kind);
std::optional<OptimizerKind> optimizer_named(const std::string& name);  // nothing: no such one
inline constexpr const char* kOptimizerNames = "adamw, muon or soap";
enum class ScheduleKind { one_cycle, constant };
ScheduleKind schedule_named(const std::string& name);  // throws if there is no such one

struct TrainerOptions {
  std::int64_t batch = 256;
  std::int64_t shards = 8;        // part of the numbers: the leaves of the sum of gradients
  std::int64_t micro_batch = 16;  // molecules in one forward and backward pass; 0: as many as suit
                                  // the device of the network: 16, or as 30 % of its memory allow
  std::int64_t total_steps = 0;   // 0: as many as fit the time budget
  double time_budget_s = 0;       // for the steps; evaluations and checkpoints come on top
  double learning_rate = 5e-4;    // the largest
  ScheduleKind schedule = ScheduleKind::one_cycle;
  double warm_up = 0.05;       // fraction of the steps or of the time
  double start_divisor = 500;  // first and last learning rate are learning_rate / start_divisor
  OptimizerKind optimizer = OptimizerKind::adamw;
  AdamWOptions adamw;               // the others take its weight decay, and it for their vectors
  double momentum = 0.95;           // of Muon
  double clip_norm = 1.0;           // of the whole gradient; 0: no clipping
  double average_decay = 0.0;       // of the weight average (EMA); 0: none
  double label_smoothing = 0.0;     // s
  double variance_weight = 0.0;     // lambda, or the smallest
  double variance_weight_most = 0;  // the largest lambda; below variance_weight: it does not grow
  double variance_clip = 10.0;      // nats
  std::int64_t evaluate_every = 0;  // steps from one held-out evaluation to the next; 0: none
  std::int64_t early_stop = 0;      // stop after so many without a better one; 0: never
  std::uint64_t seed = 1;           // of dropout, and for the source; stored with the rest

  void check() const;  // throws Error naming the first member that makes no sense
  std::unique_ptr<Optimizer> make_optimizer(const std::vector<Parameter>& parameters) const;
  Json to_json() const;
  static TrainerOptions from_json(const Json& json);
};

struct StepReport {
  std::int64_t step = 0, total_steps = 0;  // done, this one included; total 0: only time will tell
  double progress = 0;                     // share of the run that is done
  double loss = 0;                         // what was minimised, per coordinate
  double nats_per_coordinate = 0;          // -mean log q / T
  double variance = 0;                     // mean H (0 without that term)
  double variance_weight = 0;              // of that term in the loss, now
  double gradient_norm = 0;                // before clipping
  double learning_rate = 0;
  double samples_per_second = 0;
  double positions_per_sample = 0;  // the mean of this batch, without padding
};

double steady_seconds();  // since some moment, by the clock that nobody sets

class Trainer {
 public:
  // The network is trained in place; all references must outlive the trainer. `clock` gives
  // seconds; the first rank's counts. Throws Error if the head does not fit the network.
  Trainer(Transformer& network, const Head& head, TrainingBatchSource& source,
          TrainerOptions options, std::function<double()> clock = steady_seconds,
          const Ranks& ranks = Ranks::alone());
  Trainer(const Trainer&) = delete;  // its repeated work knows where it is
  Trainer& operator=(const Trainer&) = delete;

  const TrainerOptions& options() const { return options_; }
  const Ranks& ranks() const { return ranks_; }
  double flops_per_token() const { return network_.config().flops_per_token(); }
  std::int64_t step() const { return step_; }                // steps done
  std::int64_t total_steps() const { return total_steps_; }  // 0: the time budget is not yet spent
  bool done() const { return all_steps_done() || stopped_early(); }
  bool stopped_early() const {
    return options_.early_stop > 0 && best_.evaluations_since >= options_.early_stop;
  }

  StepReport train_step();  // of several ranks, together

  // A held-out evaluation belongs to the step just done: every evaluate_every steps and after the
  // last. record_evaluation() is told the nats per coordinate of evaluated_network(), the weight
  // average where there is one, and returns whether they are the best so far.
  bool evaluation_due() const;
  Transformer evaluated_network() const;
  bool record_evaluation(double nats) { return best_.record(step_, nats); }
  const EarlyStopping& best() const { return best_; }

  NamedTensors weights() const { return network_.values(); }  // shared with the network

  // All that is needed to go on, weights included (own storage). resume() takes it over, the
  // network's weights included, and throws Error if it is of another network or has no training
  // state. The options of the constructor are kept, except the total number of steps, which comes
  // from the checkpoint. (In older ones a time budget had become a number of steps: it stays one.
  // Older programs summed gradients in another order: what they have begun goes on with other bits
  // than it would have had there.)
  Checkpoint checkpoint() const;
  void resume(const Checkpoint& checkpoint);

 private:
  bool all_steps_done() const { return total_steps_ > 0 && step_ >= total_steps_; }
  double budget_share() const { return spent_s_ / options_.time_budget_s; }
  double learning_rate() const;
  void fetch_molecules();
  double variance_weight() const;
  void fill_slope_numbers();
  void fill_pass(std::size_t pass);
  bool can_be_repeated() const;
  void run_work_of_step();
  void work_of_step();
  std::int64_t first_molecule(std::int64_t shard) const {
    return shard * options_.batch / options_.shards;
  }
  const Transformer& replica_of(std::int64_t shard) const {
    return replicas_[static_cast<std::size_t>(shard - shards_.first)];
  }
  void run_shard(std::int64_t shard);
  Tensor first_coordinates(std::int64_t first, std::int64_t rows, std::int64_t n) const;
  void read_passes();
  void gather_log_q();
  Tensor branch_sum(std::size_t parameter, const Share& shards, std::int64_t first,
                    std::int64_t count) const;
  void sum_branch(std::size_t parameter, const Share& shards, Tensor& sum) const;
  void sum_branches(const Share& shards);
  void sum_over_ranks();
  bool sums_in_place() const;
  void sum_in_place(const Share& shards);
  void sum_gradients();
  void finish_batch(StepReport& report);

  Transformer& network_;
  const Head& head_;
  TrainingBatchSource& source_;
  TrainerOptions options_;  // as they were given
  std::int64_t micro_batch_;
  std::function<double()> clock_;
  const Ranks& ranks_;
  Share shards_;  // of this rank
  std::int64_t step_ = 0, total_steps_ = 0;
  EarlyStopping best_;
  std::optional<double> variance_centre_, mean_square_;  // running means: c, and v
  double spent_s_ = 0;                                   // of the time budget

  // What a shard of this rank does in a step.
  struct Pass {
    std::int64_t shard, first, rows;  // molecules of the batch
    TrainingPass work;
  };
  std::vector<Transformer> replicas_;      // one a shard of this rank
  std::vector<Pass> passes_;               // in the order of the molecules
  std::vector<Tensor> gradients_;          // sums over shards, one a parameter
  std::vector<Tensor> gradient_storages_;  // the same, flat, one a storage
  std::unique_ptr<Optimizer> optimizer_;
  WeightAverage average_;
  std::vector<double> z_;                   // [B, T]
  Molecules molecules_;                     // of this batch
  std::vector<double> positions_;           // [B], without padding
  std::vector<double> log_target_, log_q_;  // [B]
  std::vector<double> log_drawn_;           // [B]; empty: log_q_, or not wanted
  std::vector<double> smoothing_;           // [B], S; zero without label smoothing
  Tensor place_of_step_;                    // int32 [1], where the network is
  Tensor slope_numbers_;                    // of tensor/ops/log_q_slopes.h
  Tensor gradient_square_;                  // f64 [1]
  tensor::Repeated work_of_step_;
};

}  // namespace arbg::nn
