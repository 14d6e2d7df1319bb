#include "apps/train_run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/progress.h"
#include "apps/train_log.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"

namespace arbg::apps {
namespace {

constexpr const char* kCheckpoint = "checkpoint.safetensors";

// Members that the checkpoint has with another value, or that only one of the two has: "batch is 32
// there and 64 here". What is too long to print is only named.
std::string differences(const Json& there, const Json& here) {
  const auto text = [](const Json& json, const std::string& name) {
    return json.has(name) ? json.at(name).dump() : "the default";
  };
  std::string out;
  Json all = here;
  for (const auto& [name, value] : there.members()) all[name] = value;
  for (const auto& [name, ignored] : all.members()) {
    const std::string a = text(there, name), b = text(here, name);
    if (a == b) continue;
    constexpr std::size_t kLongest = 40;
    out += (out.empty() ? "" : ", ") + name;
    if (a.size() <= kLongest && b.size() <= kLongest)
      out += " is " + a + " there and " + b + " here";
    else
      out += " differs";
  }
  return out;
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

void require_same_run(const nn::Checkpoint& saved, const TrainJob& job, const Json& description,
                      const nn::TransformerConfig& config) {
  std::string all_differences;
  for (const auto& different :
       {differences(saved.description, description),
        differences(saved.config.to_json(), config.to_json()),
        differences(nn::TrainerOptions::from_json(saved.trainer.at("options")).to_json(),
                    job.trainer.to_json())}) {
    if (!different.empty()) all_differences += (all_differences.empty() ? "" : ", ") + different;
  }
  require(all_differences.empty(), "cannot resume ", job.output.string(),
          ", a run with other data or options: ", all_differences,
          "; give the same ones, or choose another --output");
}

void train_with_log(nn::Trainer& trainer, const TrainJob& job, const nn::CoordinateBins& bins,
                    const Json& description, TrainOutcome& outcome) {
  create_folder(job.output);
  outcome.checkpoint = job.output / kCheckpoint;
  nn::RunOptions run;
  run.checkpoint_path = outcome.checkpoint;
  run.checkpoint_every_s = job.checkpoint_every_s;
  run.bins = bins;
  run.description = description;
  TrainLog log(job.output / "train_log.jsonl", trainer.step());
  Progress progress("train");
  outcome.steps_before = trainer.step();
  outcome.train_nats = std::nan("");
  run.on_step = [&](const nn::StepReport& report) {
    const double nats = report.nats_per_coordinate, before = outcome.train_nats;
    outcome.train_nats = std::isnan(before) ? nats : 0.98 * before + 0.02 * nats;
    log.add(report, progress.elapsed_s());
    char detail[160];
    std::snprintf(detail, sizeof detail,
                  "step %lld/%lld  nats/coordinate %.4f  |g| %.2f  %.0f samples/s",
                  static_cast<long long>(report.step), static_cast<long long>(report.total_steps),
                  outcome.train_nats, report.gradient_norm, report.samples_per_second);
    const double total = static_cast<double>(std::max<std::int64_t>(report.total_steps, 1));
    progress.update(static_cast<double>(report.step) / total, detail);
  };
  outcome.complete = nn::run_training(trainer, run);
  outcome.steps = trainer.step();
  outcome.seconds = progress.elapsed_s();
  outcome.samples_per_second =
      static_cast<double>((outcome.steps - outcome.steps_before) * trainer.options().batch) /
      std::max(outcome.seconds, 1e-9);
}

}  // namespace arbg::apps
