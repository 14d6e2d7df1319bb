#include "apps/jobs/train_run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/cli/progress.h"
#include "apps/runs/train_log.h"
#include "nn/training/trainer_run.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"

namespace arbg::apps {
namespace {

constexpr const char *kCheckpoint = "checkpoint.safetensors", *kBest = "best.safetensors",
                     *kLog = "train_log.jsonl";

// The text behind the progress bar.
std::string detail_of(const nn::StepReport& report, double nats, double gflop_per_second) {
  const std::string of = report.total_steps > 0 ? "/" + std::to_string(report.total_steps) : "";
  char text[160];
  std::snprintf(text, sizeof text,
                "step %lld%s  loss %.4f  nats/coordinate %.4f  |g| %.2f  %.0f samples/s  "
                "%.0f GFLOP/s",
                static_cast<long long>(report.step), of.c_str(), report.loss, nats,
                report.gradient_norm, report.samples_per_second, gflop_per_second);
  return text;
}

// Ranks that train together have read the same.
void require_alike(const nn::Trainer& trainer, const Json& description) {
  trainer.ranks().agree("data", description.dump());
  trainer.ranks().agree("options", trainer.options().to_json().dump());
  trainer.ranks().agree("a checkpoint in --output", std::to_string(trainer.step()));
}

}  // namespace

std::optional<nn::Checkpoint> saved_run(const TrainJob& job) {
  const auto path = job.output / kCheckpoint;
  if (!std::filesystem::exists(path)) return {};
  require(job.resume, path.string(), " exists; go on with --resume, or choose another --output");
  auto saved = nn::Checkpoint::read(path, job.backend);
  require(saved.description.is_object() && saved.description.has("coordinate_map") &&
              saved.trainer.has("options"),
          "the checkpoint in ", job.output.string(),
          " holds no training state of arbg train to resume from");
  return saved;
}

void settle_unnamed(TrainJob& job, const std::optional<nn::Checkpoint>& saved) {
  if (!job.within_bins)
    job.within_bins = saved ? nn::within_bins_of(saved->description) : nn::WithinBins::sloped;
  if (!saved) return;
  const auto before = nn::TrainerOptions::from_json(saved->trainer.at("options"));
  keep_unnamed(job.named, before, job.trainer);
}

void require_same_run(const nn::Checkpoint& saved, const TrainJob& job, const Json& description,
                      const nn::TransformerConfig& config) {
  const auto before = nn::TrainerOptions::from_json(saved.trainer.at("options"));
  std::string all_differences;
  for (const auto& different : {differences(saved.description, description),
                                differences(saved.config.to_json(), config.to_json()),
                                differences(before.to_json(), job.trainer.to_json())}) {
    if (!different.empty()) all_differences += (all_differences.empty() ? "" : ", ") + different;
  }
  require(all_differences.empty(), "cannot resume ", job.output.string(),
          ", a run with other data or options: ", all_differences,
          "; give the same ones, or choose another --output");
}

void train_with_log(nn::Trainer& trainer, const TrainJob& job, const nn::CoordinateBins& bins,
                    const Json& description,
                    const std::function<double(const nn::Transformer&)>& evaluate,
                    const RunFolder& output, TrainOutcome& outcome) {
  require_alike(trainer, description);
  output.require_ours();
  outcome.checkpoint = job.output / kCheckpoint;
  outcome.trainer = job.trainer;
  nn::RunOptions run;
  run.checkpoint_path = outcome.checkpoint;
  run.best_path = job.output / kBest;
  run.checkpoint_every_s = job.checkpoint_every_s;
  run.bins = bins;
  run.description = description;
  bool evaluated = false;
  run.evaluate = [&](const nn::Transformer& network) {
    evaluated = true;
    const double nats = evaluate(network);
    output.require_ours();
    return nats;
  };
  std::optional<TrainLog> log;  // of the first rank
  if (output.ranks().is_first()) log.emplace(job.output / kLog, trainer.step());
  Progress progress("train");
  const double gflop_per_token = 3e-9 * trainer.flops_per_token();
  double gflop = 0;
  outcome.steps_before = trainer.step();
  outcome.train_nats = outcome.held_out_nats = std::nan("");
  run.on_step = [&](const nn::StepReport& report) {
    output.require_ours();
    const double nats = report.nats_per_coordinate, before = outcome.train_nats;
    outcome.train_nats = std::isnan(before) ? nats : 0.98 * before + 0.02 * nats;
    const double gflop_per_sample = gflop_per_token * report.positions_per_sample;
    const double gflop_per_second = gflop_per_sample * report.samples_per_second;
    gflop += gflop_per_sample * static_cast<double>(trainer.options().batch);
    progress.update(report.progress, detail_of(report, outcome.train_nats, gflop_per_second));
    log->add(report, progress.elapsed_s(), gflop_per_second, progress.left_s());
  };
  run.on_evaluation = [&](std::int64_t step, double nats) {
    outcome.held_out_nats = nats;
    log->add_evaluation(step, nats, progress.elapsed_s());
  };
  outcome.complete = nn::run_training(trainer, run);
  outcome.steps = trainer.step();
  outcome.stopped_early = trainer.stopped_early();
  outcome.best_step = trainer.best().best_step;
  outcome.best_nats = trainer.best().best_nats;
  outcome.seconds = progress.elapsed_s();
  const double seconds = std::max(outcome.seconds, 1e-9);
  outcome.samples_per_second =
      static_cast<double>((outcome.steps - outcome.steps_before) * trainer.options().batch) /
      seconds;
  outcome.gflop_per_second = gflop / seconds;
  if (!evaluated || !trainer.evaluation_due())
    outcome.held_out_nats = evaluate(trainer.evaluated_network());
}

}  // namespace arbg::apps
