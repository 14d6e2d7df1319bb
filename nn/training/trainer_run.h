// A whole training run: steps, held-out evaluations, checkpoints, until done or Ctrl-C.
//
// Killed at any moment, a run that is resumed from its last checkpoint does the same as one that is
// not, evaluations and early stopping included. Files are written whole or not at all: a full disk,
// or a loss that is not finite, throws Error and leaves the last checkpoint as it was. Of several
// ranks all evaluate, and the first alone writes files and calls on_step and on_evaluation; that
// they have the same weights is checked, up to rounding of a sum, before a model is written.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "nn/training/trainer.h"

namespace arbg::nn {

struct RunOptions {
  std::filesystem::path checkpoint_path;  // empty: none is written
  std::filesystem::path best_path;  // the model of the best evaluation; empty: none is written
  double checkpoint_every_s = 300;
  std::int64_t checkpoint_every_steps = 0;  // 0: by time only
  std::optional<CoordinateBins> bins;       // written into the checkpoint, with the description
  Json description = Json::object();
  std::function<void(const StepReport&)> on_step;
  // Held-out nats per coordinate of a network: needed if the trainer's options want evaluations.
  std::function<double(const Transformer&)> evaluate;
  std::function<void(std::int64_t step, double nats)> on_evaluation;
};

// Ranks that train apart, as machines do that compute differently, must not leave a file of it:
// throws Error unless the sums of the squares of all weights are the same.
void require_same_weights(const Trainer& trainer);

// Trains until done, or until arbg::interrupted() at any rank, and writes a last checkpoint. True
// if done.
bool run_training(Trainer& trainer, const RunOptions& options);

}  // namespace arbg::nn
