// arbg train: train a generator on a folder of conformations.
#include <cstdio>

#include "apps/command_line.h"
#include "apps/commands/commands.h"
#include "apps/common_options.h"
#include "apps/train_job.h"
#include "tensor/base/error.h"

namespace arbg::apps {
namespace {

const CommandSpec kSpec{
    "train",
    "train a generator on a folder of conformations",
    "",
    {{"data", "FOLDER", "", "conformations: a folder made by arbg md"},
     {"output", "FOLDER", "", "where checkpoint.safetensors and train_log.jsonl go"},
     {"coordinates", "NAME", "internal", "internal (bonds, angles, dihedrals) or cartesian (as published)"},
     {"time", "DURATION", "10m", "train for about this long: 90s, 10m, 1.5h (or give --steps)"},
     {"steps", "N", "", "train for exactly this many steps"},
     {"batch", "N", "", "conformations in a step"},
     {"learning-rate", "X", "", "largest learning rate of the one-cycle schedule"},
     {"weight-decay", "X", "", "of AdamW"},
     {"average", "X", "", "decay of the weight average that is sampled from; 0: none"},
     {"variance-weight", "X", "", "weight of the log-variance loss, which uses the energies; 0: maximum likelihood only"},
     {"bins", "N", "", "bins of every coordinate"},
     {"range", "X", "", "Cartesian only: bins cover this many standard deviations to each side"},
     {"channels", "N", "", "width of the transformer"},
     {"layers", "N", "", "its depth"},
     {"heads", "N", "", "attention heads of each layer"},
     {"held-out", "X", "0.05", "fraction of the frames (the last) kept for the held-out likelihood"},
     {"outside", "WHAT", "refuse", "frames outside the support: refuse or drop"},
     {"checkpoint-every", "DURATION", "60s", "how much work a crash may lose"},
     {"resume", "", "", "go on from the checkpoint in --output, bit for bit"}},
    {"arbg train --data runs/ala2-md --output runs/ala2 --time 60m",
     "arbg train --data runs/ala2-md --output runs/ala2 --time 60m --resume",
     "arbg train --data runs/ala2-md --output runs/ala2-xyz --coordinates cartesian --steps 5000"}};

TrainJob job_from(const Arguments& arguments, const CommonOptions& common) {
  TrainJob job;
  job.output = arguments.text("output");
  job.coordinates = arguments.text("coordinates");
  job.backend = common.backend;
  set_recommended(job);
  job.trainer.seed = common.seed;
  const auto integer = [&](const char* name, std::int64_t& value) {
    if (arguments.given(name)) value = arguments.integer(name);
  };
  const auto number = [&](const char* name, double& value) {
    if (arguments.given(name)) value = arguments.number(name);
  };
  integer("steps", job.trainer.total_steps);
  if (!arguments.given("steps")) job.trainer.time_budget_s = arguments.duration_s("time");
  integer("batch", job.trainer.batch);
  number("learning-rate", job.trainer.learning_rate);
  number("weight-decay", job.trainer.adamw.weight_decay);
  number("average", job.trainer.average_decay);
  number("variance-weight", job.trainer.variance_weight);
  integer("bins", job.bins);
  number("range", job.range);
  integer("channels", job.channels);
  integer("layers", job.layers);
  integer("heads", job.heads);
  job.held_out = arguments.number("held-out");
  const std::string outside = arguments.text("outside");
  require(outside == "refuse" || outside == "drop", "--outside expects refuse or drop, got '", outside, "'");
  job.drop_outside = outside == "drop";
  job.checkpoint_every_s = arguments.duration_s("checkpoint-every");
  job.resume = arguments.flag("resume");
  return job;
}

}  // namespace

int train_command(const Words& words) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  require(arguments.given("data"), "--data FOLDER is needed: conformations made by arbg md");
  require(arguments.given("output"), "--output FOLDER is needed");
  require(!(arguments.given("steps") && arguments.given("time")), "give --steps or --time, not both");

  const TrainJob job = job_from(arguments, common);
  const TrainOutcome outcome = run_train_job(job, load_dataset(arguments.text("data")));
  if (common.json) {
    Json out = Json::object();
    out["checkpoint"] = outcome.checkpoint.string();
    out["complete"] = outcome.complete;
    out["steps"] = outcome.steps;
    out["seconds"] = outcome.seconds;
    out["samples_per_second"] = outcome.samples_per_second;
    out["parameters"] = outcome.parameters;
    out["train_nats_per_coordinate"] = outcome.train_nats;
    out["held_out_nats_per_coordinate"] = outcome.held_out_nats;
    std::puts(out.dump().c_str());
  } else {
    std::printf("%s: %lld parameters, %lld steps in %s (%.0f samples/s)\n", outcome.checkpoint.c_str(),
                static_cast<long long>(outcome.parameters), static_cast<long long>(outcome.steps),
                format_duration(outcome.seconds).c_str(), outcome.samples_per_second);
    std::printf("nats per coordinate: training %.4f, held out %.4f (%lld frames)\n", outcome.train_nats,
                outcome.held_out_nats, static_cast<long long>(outcome.held_out_frames));
  }
  if (outcome.complete) return 0;
  std::fprintf(stderr, "interrupted; everything is saved: run the same command with --resume to go on\n");
  return 130;
}

}  // namespace arbg::apps
