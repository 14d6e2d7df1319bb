// arbg train: train a generator on a folder of conformations.
#include <cstdio>

#include "apps/command_line.h"
#include "apps/commands/commands.h"
#include "apps/common_options.h"
#include "apps/train_job.h"
#include "tensor/base/error.h"

namespace arbg::apps {
namespace {

// "256", or "256, cartesian 1024" where the kinds of coordinates differ: what set_recommended()
// says.
template <class Member>
std::string recommended(const Member& member) {
  TrainJob internal, cartesian;
  cartesian.coordinates = "cartesian";
  set_recommended(internal);
  set_recommended(cartesian);
  const auto text = [](double value) { return Json(value).dump(); };
  const std::string a = text(static_cast<double>(member(internal))),
                    b = text(static_cast<double>(member(cartesian)));
  return a == b ? a : a + ", cartesian " + b;
}

CommandSpec spec() {
  using Job = const TrainJob&;
  return {
      "train",
      "train a generator on a folder of conformations",
      "",
      {{"data", "FOLDER", "", "conformations: a folder made by arbg md"},
       {"output", "FOLDER", "", "where checkpoint.safetensors and train_log.jsonl go"},
       {"coordinates", "NAME", "internal",
        "internal (bonds, angles, dihedrals) or cartesian (as published)"},
       {"time", "DURATION", "10m", "train for about this long: 90s, 10m, 1.5h (or give --steps)"},
       {"steps", "N", "", "train for exactly this many steps"},
       {"batch", "N", recommended([](Job j) { return j.trainer.batch; }),
        "conformations in a step"},
       {"learning-rate", "X", recommended([](Job j) { return j.trainer.learning_rate; }),
        "largest learning rate of the one-cycle schedule"},
       {"weight-decay", "X", recommended([](Job j) { return j.trainer.adamw.weight_decay; }),
        "of AdamW"},
       {"average", "X", recommended([](Job j) { return j.trainer.average_decay; }),
        "decay of the weight average that is sampled from; 0: none"},
       {"variance-weight", "X", recommended([](Job j) { return j.trainer.variance_weight; }),
        "weight of the log-variance loss, which uses the energies; 0: maximum likelihood only"},
       {"bins", "N", recommended([](Job j) { return j.bins; }), "bins of every coordinate"},
       {"range", "X", recommended([](Job j) { return j.range; }),
        "cartesian only: bins cover this many standard deviations to each side"},
       {"channels", "N", recommended([](Job j) { return j.channels; }), "width of the transformer"},
       {"layers", "N", recommended([](Job j) { return j.layers; }), "its depth"},
       {"heads", "N", recommended([](Job j) { return j.heads; }), "attention heads of each layer"},
       {"held-out", "X", "0.05",
        "fraction of the frames (the last) kept for the held-out likelihood"},
       {"outside", "WHAT", "refuse", "frames outside the support: refuse or drop"},
       {"checkpoint-every", "DURATION", "60s", "how much work a crash may lose"},
       {"resume", "", "", "go on bit for bit from the checkpoint in --output, if there is one"}},
      {"arbg train --data runs/ala2-md --output runs/ala2 --time 60m",
       "arbg train --data runs/ala2-md --output runs/ala2 --time 60m --resume",
       "arbg train --data runs/ala2-md --output runs/ala2-xyz --coordinates cartesian --steps "
       "5000"}};
}

constexpr std::int64_t kMostOfAnything = 1000000000;

TrainJob job_from(const Arguments& arguments, const CommonOptions& common) {
  TrainJob job;
  job.output = arguments.required("output");
  job.coordinates = arguments.text("coordinates");
  job.backend = common.backend;
  set_recommended(job);
  job.trainer.seed = common.seed;
  const auto integer = [&](const char* name, std::int64_t& value, std::int64_t lowest) {
    if (arguments.given(name)) value = arguments.integer(name, lowest, kMostOfAnything);
  };
  const auto number = [&](const char* name, double& value) {
    if (arguments.given(name)) value = arguments.number(name);
  };
  integer("steps", job.trainer.total_steps, 1);
  if (!arguments.given("steps")) job.trainer.time_budget_s = arguments.duration_s("time");
  integer("batch", job.trainer.batch, job.trainer.shards);
  number("learning-rate", job.trainer.learning_rate);
  number("weight-decay", job.trainer.adamw.weight_decay);
  number("average", job.trainer.average_decay);
  number("variance-weight", job.trainer.variance_weight);
  integer("bins", job.bins, 2);
  number("range", job.range);
  integer("channels", job.channels, 1);
  integer("layers", job.layers, 1);
  integer("heads", job.heads, 1);
  job.held_out = arguments.number("held-out");
  const std::string outside = arguments.text("outside");
  require(outside == "refuse" || outside == "drop", "--outside expects refuse or drop, got '",
          outside, "'");
  job.drop_outside = outside == "drop";
  job.checkpoint_every_s = arguments.duration_s("checkpoint-every");
  job.resume = arguments.flag("resume");
  return job;
}

}  // namespace

int train_command(const Words& words) {
  const Arguments arguments(spec(), words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  const std::string data = arguments.required("data");
  require(!(arguments.given("steps") && arguments.given("time")),
          "give --steps or --time, not both");

  const TrainJob job = job_from(arguments, common);
  const TrainOutcome outcome = run_train_job(job, load_dataset(data));
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
  } else if (outcome.complete && outcome.steps == outcome.steps_before) {
    std::printf("%s: all %lld steps were done before\n", outcome.checkpoint.c_str(),
                static_cast<long long>(outcome.steps));
  } else {
    std::printf("%s: %lld parameters, %lld steps in %s (%.0f samples/s)\n",
                outcome.checkpoint.c_str(), static_cast<long long>(outcome.parameters),
                static_cast<long long>(outcome.steps - outcome.steps_before),
                format_duration(outcome.seconds).c_str(), outcome.samples_per_second);
    std::printf("nats per coordinate: training %.4f", outcome.train_nats);
    if (outcome.held_out_frames == 0)
      std::puts("");
    else
      std::printf(", held out %.4f (%lld frames)\n", outcome.held_out_nats,
                  static_cast<long long>(outcome.held_out_frames));
  }
  if (outcome.complete) return 0;
  std::fprintf(stderr,
               "interrupted; everything is saved: run the same command with --resume to go on\n");
  return 130;
}

}  // namespace arbg::apps
