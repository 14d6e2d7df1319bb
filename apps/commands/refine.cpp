// arbg refine: a model improves itself, with or without a start.
#include <cstdio>

#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/cli/trainer_options.h"
#include "apps/commands/commands.h"
#include "apps/jobs/refine_job.h"
#include "apps/jobs/sample_job.h"
#include "apps/jobs/train_job.h"
#include "apps/pages/refine_page.h"
#include "apps/runs/results_json.h"
#include "apps/runs/run_folder.h"
#include "metrics/pages/table.h"
#include "tensor/base/error.h"

namespace arbg::apps {
namespace {

std::string text(double value) { return Json(value).dump(); }

CommandSpec spec() {
  const RefineJob job;
  return {
      "refine",
      "train a model from the force field alone, without data, or improve a model",
      "",
      {{"output", "FOLDER", "",
        "where checkpoint.safetensors, rounds.jsonl and report.html go; continues the run that is "
        "there"},
       {"model", "FILE", "", "checkpoint to start from (default: the force field's marginals)"},
       {"sequence", "TEXT", job.sequence, "without --model: one-letter codes with optional caps"},
       {"forcefield", "NAME", job.forcefield,
        "without --model: amber99sbildn-obc2 or amber14-obc1"},
       {"temperature-kelvin", "K", text(job.temperature_kelvin),
        "without --model: temperature of the Boltzmann distribution"},
       {"placement", "NAME", "",
        "without --model: energies of the places that an atom may take enter the logits (logits), "
        "and moments of them the network as well (full), or nothing (none) (default: full)"},
       {"within-bins", "NAME", "",
        "density within a bin, of draws and of the variance term: sloped by the bins beside it, or "
        "uniform (default: sloped; of a run that goes on: as it began)"},
       {"rounds", "N", std::to_string(job.options.rounds),
        "rounds of drawing samples, moving walkers and training"},
       {"samples", "N", std::to_string(job.options.samples),
        "samples drawn in a round, for the figures and as proposals to walkers; at most --walkers"},
       {"walkers", "N", std::to_string(job.options.walkers),
        "conformations kept at the Boltzmann distribution, to learn from"},
       {"warm-up", "N", std::to_string(job.options.warm_up),
        "Langevin moves of each walker before the first round"},
       {"moves", "N", std::to_string(job.options.moves),
        "Langevin moves of each walker in a round"},
       {"steps", "N", std::to_string(job.options.steps), "training steps in a round"},
       {"until", "X", text(job.options.until),
        "stop at this effective sample size (a share, raw weights, mean of five rounds)"},
       {"patience", "N", std::to_string(job.options.patience),
        "stop after so many rounds without a better mean; 0: never"},
       {"optimizer", "NAME", "",
        "soap, adamw or muon, as in arbg train (default: soap; of a model in Cartesian "
        "coordinates: adamw; of a run that goes on: as it began)"},
       {"learning-rate", "X", text(job.options.trainer.learning_rate),
        "largest learning rate of the one-cycle schedule"},
       {"variance-weight", "X", text(job.options.trainer.variance_weight),
        "weight of the log-variance loss"},
       {"variance-weight-most", "X", text(job.options.trainer.variance_weight_most),
        "as log weights scatter less, that weight grows up to this; 0, or --variance-weight alone: "
        "it stays (of a run that goes on: as it began)"},
       {"sampling-temperature", "X", text(job.options.sampling_temperature),
        "temperature of the network's distributions (log q stays exact)"}},
      {"arbg refine --sequence Ace-A-Nme --output runs/no-data",
       "arbg refine --model runs/ala2/checkpoint.safetensors --learning-rate 0.001 --output "
       "runs/ala2-refined"}};
}

constexpr std::int64_t kMostOfAnything = 100000000;

RefineJob job_from(const Arguments& arguments, const CommonOptions& common) {
  RefineJob job(common.backend);
  job.output = arguments.required("output");
  job.model = arguments.text("model");
  for (const char* name : {"sequence", "forcefield", "temperature-kelvin", "placement"}) {
    require(job.model.empty() || !arguments.given(name), "--", name,
            " comes from the checkpoint of --model; leave it out");
  }
  job.sequence = arguments.text("sequence");
  job.forcefield = arguments.text("forcefield");
  job.temperature_kelvin = arguments.number("temperature-kelvin");
  job.placement = arguments.text("placement");
  if (!job.placement.empty()) placement_named(job.placement);  // for its check
  if (arguments.given("within-bins"))
    job.within_bins = nn::within_bins_named(arguments.text("within-bins"));
  job.options.rounds = arguments.integer("rounds", 1, kMostOfAnything);
  job.options.samples = arguments.integer("samples", 2, kMostOfAnything);
  job.options.steps = arguments.integer("steps", 1, kMostOfAnything);
  job.options.walkers = arguments.integer("walkers", 2, kMostOfAnything);
  job.options.warm_up = arguments.integer("warm-up", 0, kMostOfAnything);
  job.options.moves = arguments.integer("moves", 1, kMostOfAnything);
  require(job.options.samples <= job.options.walkers, "--samples expects at most --walkers, ",
          job.options.walkers, ", got ", job.options.samples);
  job.options.until = arguments.number("until");
  require(job.options.until > 0 && job.options.until <= 1,
          "--until expects a share above 0 and at most 1, got ", job.options.until);
  job.options.patience = arguments.integer("patience", 0, kMostOfAnything);
  for (const char* name : {"temperature-kelvin", "sampling-temperature"}) {
    const double value = arguments.number(name);
    require(value > 0 && value < 1e6, "--", name, " expects a number above 0 and below 1e6, got ",
            value);
  }
  job.options.sampling_temperature = arguments.number("sampling-temperature");
  job.named = take_trainer_options(arguments, job.options.trainer);
  job.options.trainer.seed = common.seed;
  return job;
}

}  // namespace

int refine_command(const Words& words, const Ranks& ranks) {
  const Arguments arguments(spec(), words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  const RefineJob job = job_from(arguments, common);
  const RunFolder output(job.output, RunKind::refine, {}, ranks);
  const RefineOutcome outcome = run_refine_job(job, output);
  if (!outcome.complete) {
    std::fprintf(stderr,
                 "interrupted; the warm-up so far and all complete rounds are saved: run the same "
                 "command to go on\n");
    return 130;
  }
  if (!ranks.is_first()) return 0;
  output.require_ours();
  std::string command = "arbg refine";
  for (const auto& word : words) command += " " + word;
  write_refine_page(job.output / "report.html", job, outcome, command);
  const auto& w = outcome.weights;
  if (common.json) {
    Json out = Json::object();
    out["checkpoint"] = outcome.checkpoint.string();
    out["rounds"] = outcome.rounds;
    out["energies"] = outcome.energies;
    out["seconds"] = outcome.seconds;
    out["parameters"] = outcome.parameters;
    out["weights"] = summary_json(w);
    std::puts(out.dump().c_str());
    return 0;
  }
  metrics::Table table({"fresh samples, raw weights", ""});
  table.add_row({"samples", std::to_string(w.count)});
  table.add_row({"effective sample size", metrics::format_number(w.ess) + " = " +
                                              metrics::format_number(100 * w.ess_fraction, 3) +
                                              " %"});
  table.add_row(
      {"share of the largest weight", metrics::format_number(100 * w.largest_share, 3) + " %"});
  table.add_row({"Pareto k-hat (reliable below 0.7)", metrics::format_number(w.pareto_k, 3)});
  table.add_row({"log Z", log_z_text(w)});
  std::printf("%s%s: %lld parameters, %lld rounds and %lld energies in %s\nreport: %s\n",
              table.text().c_str(), outcome.checkpoint.c_str(),
              static_cast<long long>(outcome.parameters), static_cast<long long>(outcome.rounds),
              static_cast<long long>(outcome.energies), format_duration(outcome.seconds).c_str(),
              (job.output / "report.html").c_str());
  return 0;
}

}  // namespace arbg::apps
