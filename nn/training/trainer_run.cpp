#include "nn/training/trainer_run.h"

#include <chrono>

#include "tensor/base/error.h"
#include "tensor/base/interrupt.h"
#include "tensor/ops/sum_of_squares.h"

namespace arbg::nn {
namespace {

using Clock = std::chrono::steady_clock;

Checkpoint complete_checkpoint(const Trainer& trainer, const RunOptions& options) {
  Checkpoint checkpoint = trainer.checkpoint();
  checkpoint.bins = options.bins;
  checkpoint.description = options.description;
  return checkpoint;
}

// Only the model, and in its description which step it is of.
void write_best(const Trainer& trainer, const RunOptions& options) {
  if (options.best_path.empty() || !trainer.ranks().is_first()) return;
  Checkpoint best = complete_checkpoint(trainer, options);
  best.trainer = Json();
  best.first_moments.clear();
  best.second_moments.clear();
  best.description["step"] = trainer.best().best_step;
  best.description["held_out_nats_per_coordinate"] = trainer.best().best_nats;
  best.write(options.best_path);
}

void evaluate(Trainer& trainer, const RunOptions& options) {
  require(options.evaluate != nullptr, "evaluations are wanted, but there is nothing held out");
  const double nats = options.evaluate(trainer.evaluated_network());
  if (trainer.record_evaluation(nats)) {
    require_same_weights(trainer);
    write_best(trainer, options);
  }
  if (options.on_evaluation && trainer.ranks().is_first())
    options.on_evaluation(trainer.step(), nats);
}

}  // namespace

void require_same_weights(const Trainer& trainer) {
  if (trainer.ranks().count() == 1) return;
  std::vector<Tensor> weights;
  for (const auto& [name, tensor] : trainer.weights()) weights.push_back(tensor);
  const double squares = tensor::sum_of_squares(weights).item();
  trainer.ranks().agree("weights of the network", std::as_bytes(std::span(&squares, 1)));
}

bool run_training(Trainer& trainer, const RunOptions& options) {
  auto last_save = Clock::now();
  const auto save = [&] {
    require_same_weights(trainer);
    if (options.checkpoint_path.empty() || !trainer.ranks().is_first()) return;
    complete_checkpoint(trainer, options).write(options.checkpoint_path);
    last_save = Clock::now();
  };
  require_same_weights(trainer);
  // All have to stop, and to save, after the same step.
  while (!trainer.done() && !trainer.ranks().any(interrupted())) {
    const StepReport report = trainer.train_step();
    if (options.on_step && trainer.ranks().is_first()) options.on_step(report);
    // Before any checkpoint of this step: a resumed run starts with the step after it.
    if (trainer.evaluation_due()) evaluate(trainer, options);
    const auto every = options.checkpoint_every_steps;
    const std::chrono::duration<double> since_save = Clock::now() - last_save;
    const bool late = since_save.count() >= options.checkpoint_every_s;
    if ((every > 0 && trainer.step() % every == 0) ||
        trainer.ranks().any(trainer.ranks().is_first() && late))
      save();
  }
  save();
  trainer.ranks().barrier();  // what has been written is there for all
  return trainer.done();
}

}  // namespace arbg::nn
