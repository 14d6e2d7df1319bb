// arbg train: train a generator on a folder of conformations.
#include <cstdio>

#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/cli/trainer_options.h"
#include "apps/commands/commands.h"
#include "apps/jobs/mixed_train_job.h"
#include "apps/jobs/train_job.h"
#include "apps/pages/train_page.h"
#include "apps/runs/run_folder.h"
#include "metrics/pages/table.h"
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
      {{"data", "FOLDER", "",
        "conformations: a folder made by arbg md, or a published AAA_310K_train.npy"},
       {"forcefield", "NAME", "amber14-obc1",
        "with a published --data: the force field of its energies"},
       {"mix", "FILE", "",
        "instead of --data, a text file of many molecules, lines NAME TRAJECTORY TOPOLOGY "
        "[WEIGHT] (see apps/README.md); Cartesian, range 4.5, sinusoidal positions, a network "
        "conditioned on the molecule"},
       {"output", "FOLDER", "", "where checkpoint.safetensors, train_log.jsonl and report.html go"},
       {"coordinates", "NAME", "internal",
        "internal (bonds, angles, dihedrals) or cartesian (as published)"},
       {"placement", "NAME", "",
        "the force field inside the likelihood: energies of the places that an atom may take enter "
        "the logits (logits), and moments of them the network as well (full), or nothing (none) "
        "(default: full; cartesian and --mix: none, and nothing else)"},
       {"time", "DURATION", "10m", "train for about this long: 90s, 10m, 1.5h (or give --steps)"},
       {"steps", "N", "", "train for exactly this many steps"},
       {"optimizer", "NAME", "",
        "soap (Adam in the eigenbases of each matrix's gradients), adamw, or muon (momentum 0.95; "
        "parameters that are not matrices by AdamW, at a tenth of the rate) (default: soap; "
        "cartesian, --mix and published networks: adamw; of a run that goes on: as it began)"},
       {"batch", "N", recommended([](Job j) { return j.trainer.batch; }),
        "conformations in a step; their gradients are accumulated over micro-batches"},
       {"micro-batch", "N", recommended([](Job j) { return j.trainer.micro_batch; }),
        "conformations in one pass through the network: smaller takes less memory"},
       {"shards", "N", recommended([](Job j) { return j.trainer.shards; }),
        "parts in which threads share a step (on a GPU 1): no more threads than these find work; "
        "the order of sums, and with it the last digits of a run, depends on them"},
       {"learning-rate", "X", recommended([](Job j) { return j.trainer.learning_rate; }),
        "largest learning rate of the schedule"},
       {"schedule", "NAME", "one-cycle",
        "learning rate after the warm-up: one-cycle (falls to 1/500) or constant"},
       {"warm-up", "X", recommended([](Job j) { return j.trainer.warm_up; }),
        "fraction of the steps in which the learning rate rises"},
       {"weight-decay", "X", recommended([](Job j) { return j.trainer.adamw.weight_decay; }),
        "decoupled weight decay, of every optimizer"},
       {"clip", "X", recommended([](Job j) { return j.trainer.clip_norm; }),
        "largest norm of the gradient: a larger one is scaled down to it; 0: no clipping"},
       {"average", "X", recommended([](Job j) { return j.trainer.average_decay; }),
        "decay of the average of the network's weights, which samples are drawn with; 0: none"},
       {"variance-weight", "X", recommended([](Job j) { return j.trainer.variance_weight; }),
        "weight of the log-variance loss, which uses the energies; 0: maximum likelihood only"},
       {"variance-weight-most", "X",
        recommended([](Job j) { return j.trainer.variance_weight_most; }),
        "as log weights scatter less, that weight grows up to this; 0, or --variance-weight alone: "
        "it stays (of a run that goes on: as it began)"},
       {"label-smoothing", "X", recommended([](Job j) { return j.trainer.label_smoothing; }),
        "share of every target probability that is spread over all bins"},
       {"dropout", "X", recommended([](Job j) { return j.network.dropout; }),
        "share of activations set to zero in training"},
       {"network", "NAME", "demo",
        "bins, channels, layers and heads of demo, base, medium or large (the last three as "
        "published, with the learning rate 5e-4; large with dropout 0.1)"},
       {"bins", "N", recommended([](Job j) { return j.network.num_bins; }),
        "bins for every coordinate"},
       {"within-bins", "NAME", "",
        "density within a bin, of draws and of the variance term: sloped by the bins beside it, or "
        "uniform (default: sloped; of a run that goes on: as it began)"},
       {"range", "X", recommended([](Job j) { return j.range; }),
        "cartesian only: bins cover this many standard deviations to each side"},
       {"scale", "NM", Json(TrainJob().scale_nm).dump(), "--mix only: the unit of coordinates"},
       {"channels", "N", recommended([](Job j) { return j.network.channels; }),
        "width of the transformer"},
       {"layers", "N", recommended([](Job j) { return j.network.num_layers; }),
        "depth of the transformer"},
       {"heads", "N", recommended([](Job j) { return j.network.num_heads; }),
        "attention heads of each layer"},
       {"activation", "NAME", "swiglu", "activation of the feed-forward part: swiglu or gelu"},
       {"norm", "NAME", "rms", "normalisation in every layer: rms (RMSNorm) or layer (LayerNorm)"},
       {"positions", "NAME", "learned", "embedding of the positions: learned or sinusoidal"},
       {"held-out", "X", "0.05",
        "fraction of the frames (the last) kept for the held-out likelihood"},
       {"evaluate-every", "STEPS", "0",
        "steps from one held-out evaluation to the next (not counted in --time); the best weights "
        "go to best.safetensors; 0: once, at the end"},
       {"early-stop", "N", "0", "stop after so many evaluations without a better one; 0: never"},
       {"outside", "WHAT", "refuse",
        "frames outside the support, in internal coordinates: refuse or drop"},
       {"checkpoint-every", "DURATION", "60s",
        "time between checkpoints: a crash loses no more than that"},
       {"resume", "", "",
        "go on from the checkpoint in --output, if there is one: with --steps, to the same bits as "
        "without a break; otherwise for what is left of --time"}},
      {"arbg train --data runs/ala2-md --output runs/ala2 --time 60m",
       "arbg train --data runs/ala2-md --output runs/ala2 --time 60m --resume",
       "arbg train --data runs/ala2-md --output runs/ala2-xyz --coordinates cartesian --steps "
       "5000",
       "arbg train --mix peptides.txt --output runs/peptides --network large --time 100h"}};
}

constexpr std::int64_t kMostOfAnything = 1000000000;

// Of an option with two values: whether it is the second. Throws Error for a third.
bool second_of(const Arguments& arguments, const char* name, const char* first,
               const char* second) {
  const std::string value = arguments.text(name);
  require(value == first || value == second, "--", name, " expects ", first, " or ", second,
          ", got '", value, "'");
  return value == second;
}

TrainJob job_from(const Arguments& arguments, const CommonOptions& common) {
  TrainJob job;
  job.output = arguments.required("output");
  job.coordinates = arguments.text("coordinates");
  job.backend = common.backend;
  if (arguments.given("mix")) set_mixed(job);
  set_recommended(job);
  set_network(job, arguments.text("network"));
  job.trainer.seed = common.seed;
  const auto integer = [&](const char* name, std::int64_t& value, std::int64_t lowest) {
    if (arguments.given(name)) value = arguments.integer(name, lowest, kMostOfAnything);
  };
  const auto number = [&](const char* name, double& value) {
    if (arguments.given(name)) value = arguments.number(name);
  };
  nn::TrainerOptions& trainer = job.trainer;
  integer("steps", trainer.total_steps, 1);
  if (!arguments.given("steps")) trainer.time_budget_s = arguments.duration_s("time");
  job.named = take_trainer_options(arguments, trainer);
  if (second_of(arguments, "schedule", "one-cycle", "constant"))
    trainer.schedule = nn::ScheduleKind::constant;
  integer("shards", trainer.shards, 1);
  integer("batch", trainer.batch, trainer.shards);
  integer("micro-batch", trainer.micro_batch, 1);
  number("warm-up", trainer.warm_up);
  number("weight-decay", trainer.adamw.weight_decay);
  number("clip", trainer.clip_norm);
  number("average", trainer.average_decay);
  number("label-smoothing", trainer.label_smoothing);
  integer("evaluate-every", trainer.evaluate_every, 0);
  integer("early-stop", trainer.early_stop, 0);
  require(trainer.early_stop == 0 || trainer.evaluate_every > 0,
          "--early-stop needs evaluations: add --evaluate-every STEPS");
  integer("bins", job.network.num_bins, 2);
  number("range", job.range);
  number("scale", job.scale_nm);
  integer("channels", job.network.channels, 1);
  integer("layers", job.network.num_layers, 1);
  integer("heads", job.network.num_heads, 1);
  number("dropout", job.network.dropout);
  job.placement = arguments.text("placement");
  require(job.placement.empty() || !placement_named(job.placement) ||
              (job.coordinates == "internal" && !arguments.given("mix")),
          "--placement ", job.placement,
          " needs --coordinates internal and one molecule: leave it out, or say none");
  if (arguments.given("within-bins"))
    job.within_bins = nn::within_bins_named(arguments.text("within-bins"));
  job.network.swiglu = !second_of(arguments, "activation", "swiglu", "gelu");
  job.network.rms_norm = !second_of(arguments, "norm", "rms", "layer");
  if (arguments.given("positions") || !arguments.given("mix"))
    job.network.learned_positions = !second_of(arguments, "positions", "learned", "sinusoidal");
  job.held_out = arguments.number("held-out");
  job.drop_outside = second_of(arguments, "outside", "refuse", "drop");
  job.checkpoint_every_s = arguments.duration_s("checkpoint-every");
  job.resume = arguments.flag("resume");
  require(!job.drop_outside || job.coordinates == "internal" || job.resume,
          "--outside drop does nothing in Cartesian coordinates, where a frame is turned anew at "
          "every visit: leave it out");
  return job;
}

metrics::Table held_out_table(const TrainOutcome& outcome) {
  metrics::Table table({"molecule", "atoms", "frames held out", "nats per coordinate"});
  for (const auto& row : outcome.held_out_molecules) {
    table.add_row({row.molecule, std::to_string(row.atoms), std::to_string(row.frames),
                   row.frames > 0 ? metrics::format_number(row.nats, 5) : ""});
  }
  return table;
}

Json to_json(const TrainOutcome& outcome) {
  Json out = Json::object();
  out["checkpoint"] = outcome.checkpoint.string();
  out["complete"] = outcome.complete;
  out["steps"] = outcome.steps;
  out["seconds"] = outcome.seconds;
  out["samples_per_second"] = outcome.samples_per_second;
  out["gflop_per_second"] = outcome.gflop_per_second;
  out["parameters"] = outcome.parameters;
  out["train_nats_per_coordinate"] = outcome.train_nats;
  out["held_out_nats_per_coordinate"] = outcome.held_out_nats;
  out["stopped_early"] = outcome.stopped_early;
  if (outcome.best_step > 0) {
    out["best_step"] = outcome.best_step;
    out["best_held_out_nats_per_coordinate"] = outcome.best_nats;
  }
  for (const auto& row : outcome.held_out_molecules) {
    Json entry = Json::object();
    entry["molecule"] = row.molecule;
    entry["atoms"] = row.atoms;
    entry["frames"] = row.frames;
    entry["nats_per_coordinate"] = row.nats;
    out["held_out_molecules"].push_back(std::move(entry));
  }
  return out;
}

void print(const TrainOutcome& outcome) {
  const auto steps = static_cast<long long>(outcome.steps);
  if (outcome.complete && outcome.steps == outcome.steps_before) {
    std::printf("%s: all %lld steps were done before\n", outcome.checkpoint.c_str(), steps);
    return;
  }
  std::printf("%s: %lld parameters, %lld steps in %s (%.0f samples/s, %.1f GFLOP/s)\n",
              outcome.checkpoint.c_str(), static_cast<long long>(outcome.parameters),
              steps - static_cast<long long>(outcome.steps_before),
              format_duration(outcome.seconds).c_str(), outcome.samples_per_second,
              outcome.gflop_per_second);
  std::printf("nats per coordinate: training %.4f", outcome.train_nats);
  if (outcome.held_out_frames > 0) {
    std::printf(", held out %.4f (%lld frames)", outcome.held_out_nats,
                static_cast<long long>(outcome.held_out_frames));
  }
  std::puts("");
  if (outcome.best_step > 0) {
    std::printf("best.safetensors: held out %.4f, after step %lld%s\n", outcome.best_nats,
                static_cast<long long>(outcome.best_step),
                outcome.stopped_early ? "; stopped early, none after it was better" : "");
  }
  if (!outcome.held_out_molecules.empty())
    std::printf("%s", held_out_table(outcome).text().c_str());
}

}  // namespace

int train_command(const Words& words, const Ranks& ranks) {
  const Arguments arguments(spec(), words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  const bool mixed = arguments.given("mix");
  require(!mixed || !arguments.given("data"), "give --data or --mix, not both");
  require(!mixed || arguments.text("coordinates") == "cartesian" || !arguments.given("coordinates"),
          "--mix needs Cartesian coordinates");
  require(mixed || !arguments.given("scale"),
          "--scale goes with --mix: of one molecule it is the data's standard deviation");
  const std::string data = arguments.required(mixed ? "mix" : "data");
  require(!(arguments.given("steps") && arguments.given("time")),
          "give --steps or --time, not both");

  const TrainJob job = job_from(arguments, common);
  const RunFolder output(job.output, RunKind::train, {}, ranks);
  const TrainOutcome outcome =
      mixed ? run_mixed_train_job(job, data, output)
            : run_train_job(job, load_dataset(data, arguments.text("forcefield")), output);
  output.require_ours();
  if (ranks.is_first()) write_train_page(job.output / "report.html", job, outcome);
  if (common.json)
    std::puts(to_json(outcome).dump().c_str());
  else
    print(outcome);
  if (outcome.complete) return 0;
  std::fprintf(stderr,
               "interrupted; everything is saved: run the same command with --resume to go on\n");
  return 130;
}

}  // namespace arbg::apps
