// arbg sample: draw conformations with exact log q, energies and importance weights.
#include <cstdio>

#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/cli/decoding_options.h"
#include "apps/commands/commands.h"
#include "apps/jobs/sample_job.h"
#include "apps/jobs/smc_job.h"
#include "apps/pages/smc_page.h"
#include "apps/pages/tuning_page.h"
#include "apps/runs/results_json.h"
#include "apps/runs/run_folder.h"
#include "metrics/pages/table.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"

namespace arbg::apps {
namespace {

sampling::Mirror mirror_named(const std::string& name) {
  if (name == "keep") return sampling::Mirror::none;
  if (name == "reflect") return sampling::Mirror::reflect;
  require(name == "published", "--mirror-images expects keep, reflect or published, got '", name,
          "'");
  return sampling::Mirror::keep_old_log_q;
}

const CommandSpec kSpec{
    "sample",
    "draw conformations with exact log q, energies and importance weights",
    "",
    with_smc(with_decoding(
        {{"model", "FILE", "", "checkpoint.safetensors written by arbg train or arbg refine"},
         {"output", "FOLDER", "", "where positions.npy, log_q.npy, energy.npy, log_weight.npy go"},
         {"count", "N", "20000", "number of samples, independent unless --method says otherwise"},
         {"molecule", "WHAT", "",
          "for a model of many molecules (arbg train --mix): a PDB file or a sequence"},
         {"forcefield", "NAME", "amber14-obc1", "with --molecule: force field of the energies"},
         {"temperature-kelvin", "T", "310",
          "with --molecule: temperature of the Boltzmann distribution"},
         {"tune", "WHAT", "",
          "temperature: choose --temperature by pilot samples at 0.90 to 1.10, then draw other "
          "samples"},
         {"weights", "WHAT", "average",
          "of the network: average (exponential moving average of training) or last"},
         {"within-bins", "NAME", "",
          "density within a bin: sloped by the bins beside it, or uniform, of any checkpoint "
          "(default: as its training was told, of older ones uniform)"},
         {"mirror-images", "RULE", "keep",
          "Cartesian, enantiomers: keep (weight 0), reflect (log q of both mirror images: exact), "
          "or "
          "published (reflect, old log q: biased)"},
         {"published-weights", "", "",
          "Cartesian: leave the density of the centre of mass out of the weights (inconsistent)"}},
        "1")),
    {"arbg sample --model runs/ala2/checkpoint.safetensors --output runs/ala2-samples --count "
     "50000",
     "arbg sample --model runs/ala2/checkpoint.safetensors --output runs/ala2-samples --tune "
     "temperature",
     "arbg sample --model runs/peptides/checkpoint.safetensors --output runs/AAA-samples "
     "--molecule AAA",
     "arbg sample --model runs/ala2/checkpoint.safetensors --output runs/ala2-twisted --method "
     "twisted"}};

// The molecule that a model of many is told, if it is.
std::optional<ToldMolecule> told_molecule(const Arguments& arguments) {
  if (arguments.given("molecule")) {
    return tell_molecule(arguments.text("molecule"), arguments.text("forcefield"),
                         arguments.number("temperature-kelvin"));
  }
  for (const char* name : {"forcefield", "temperature-kelvin"})
    require(!arguments.given(name), "--", name, " goes with --molecule");
  return {};
}

int print_smc(const SmcJob& job, const SmcOutcome& outcome, bool json) {
  if (json) {
    Json out = to_json(outcome);
    for (const auto& label : labels(job)) out["labels"].push_back(label);
    std::puts(out.dump().c_str());
    return 0;
  }
  for (const auto& label : labels(job)) std::printf("%s\n", label.c_str());
  std::printf("%s%lld samples in %s, written to %s; curves: %s\n",
              smc_table(outcome).text().c_str(), static_cast<long long>(outcome.weights.count),
              format_duration(outcome.seconds).c_str(), job.sample.output.c_str(),
              (job.sample.output / "smc.html").c_str());
  return 0;
}

SampleJob job_from(const Arguments& arguments, const CommonOptions& common) {
  SampleJob job;
  job.model = arguments.required("model");
  job.output = arguments.required("output");
  job.count = arguments.integer("count", 1);
  job.decoding = decoding_from(arguments);
  if (arguments.given("tune")) {
    require(arguments.text("tune") == "temperature", "--tune expects temperature, got '",
            arguments.text("tune"), "'");
    require(!arguments.given("temperature"), "give --temperature or --tune temperature, not both");
    job.tune_temperature = true;
  }
  job.mirror = mirror_named(arguments.text("mirror-images"));
  job.published_weights = arguments.flag("published-weights");
  job.seed = common.seed;
  job.backend = common.backend;
  const std::string weights = arguments.text("weights");
  require(weights == "average" || weights == "last", "--weights expects average or last, got '",
          weights, "'");
  job.averaged = weights == "average";
  return job;
}

void print_json(const SamplesRun& samples) {
  const SamplesFile& run = samples.file;
  Json out = summary_json(*run.weights);
  out["seconds"] = run.seconds;
  out["decoding"] = to_json(run.decoding);
  nn::say_within_bins(out, run.within_bins);
  if (run.tuning) out["tuning"] = to_json(*run.tuning);
  if (run.reflected) out["reflected"] = *run.reflected;
  for (const auto& label : run.labels) out["labels"].push_back(label);
  std::puts(out.dump().c_str());
}

void print_table(const SamplesRun& samples, const SampleJob& job) {
  const SamplesFile& run = samples.file;
  const metrics::WeightSummary& summary = *run.weights;
  if (run.tuning) std::printf("%s\n", tuning_table(*run.tuning).text().c_str());
  metrics::Table table({"importance weights", ""});
  table.add_row({"samples", std::to_string(summary.count)});
  table.add_row({"effective sample size (raw)",
                 metrics::format_number(summary.ess) + " = " +
                     metrics::format_number(100 * summary.ess_fraction, 3) + " %"});
  table.add_row({"share of the largest weight",
                 metrics::format_number(100 * summary.largest_share, 3) + " %"});
  table.add_row({"Pareto k-hat (reliable below 0.7)", metrics::format_number(summary.pareto_k, 3)});
  table.add_row({"log Z", log_z_text(summary)});
  table.add_row({"decoding", run.decoding.text()});
  table.add_row({"within bins", nn::name_of(run.within_bins)});
  if (summary.zero_count > 0)
    table.add_row({"of weight 0 (mirror images, overlaps)", std::to_string(summary.zero_count)});
  if (run.reflected) table.add_row({"mirror images reflected", std::to_string(*run.reflected)});
  for (const auto& label : run.labels) table.add_row({"", label});
  std::printf("%s%lld samples in %s (%.0f/s), written to %s\n", table.text().c_str(),
              static_cast<long long>(samples.count()), format_duration(run.seconds).c_str(),
              static_cast<double>(samples.count()) / run.seconds, job.output.c_str());
}

}  // namespace

int sample_command(const Words& words, const Ranks& ranks) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  const SampleJob job = job_from(arguments, common);
  std::optional<SmcJob> smc;
  if (wants_smc(arguments)) smc = smc_job_from(arguments, job);

  const RunFolder output(job.output, RunKind::sample, {}, ranks);
  const auto told = told_molecule(arguments);
  std::optional<nn::WithinBins> within;
  if (arguments.given("within-bins")) within = nn::within_bins_named(arguments.text("within-bins"));
  const Model model = load_model(job.model, job.backend, job.averaged, told, within);
  require(model.of_many || !told, job.model.string(),
          ": this model is of one molecule, which its checkpoint holds; leave --molecule out");
  ranks.agree("a model", read_file(job.model));
  if (smc) {
    const SmcOutcome outcome = run_smc_job(*smc, model, output);
    if (!ranks.is_first()) return 0;
    try {
      write_smc_page(job.output / "smc.html", *smc, outcome);
    } catch (const Error& error) {
      fail(error.what(), "; all else in ", job.output.string(), " is complete");
    }
    return print_smc(*smc, outcome, common.json);
  }
  const SamplesRun samples = run_sample_job(job, model, output);
  if (!ranks.is_first()) return 0;
  if (common.json)
    print_json(samples);
  else
    print_table(samples, job);
  return 0;
}

}  // namespace arbg::apps
