// arbg demo: from a sequence to reweighted samples and a report, in one command.
#include <chrono>
#include <cstdio>

#include "apps/command_line.h"
#include "apps/commands/commands.h"
#include "apps/common_options.h"
#include "apps/md_job.h"
#include "apps/report_page.h"
#include "apps/train_job.h"
#include "metrics/table.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"

namespace arbg::apps {
namespace {

using metrics::format_number;

const CommandSpec kSpec{
    "demo",
    "everything on alanine dipeptide: md, train, sample, reweight, evaluate, report",
    "",
    {{"output", "FOLDER", "", "where everything goes (default: runs/demo-COORDINATES)"},
     {"coordinates", "NAME", "internal", "internal (bonds, angles, dihedrals) or cartesian (as published)"},
     {"sequence", "TEXT", "Ace-A-Nme", "another capped peptide"},
     {"train-time", "DURATION", "6m", "time to train; everything else takes about two minutes"},
     {"md-steps", "N", "600000", "steps of each of 24 replicas (4 temperatures each)"},
     {"samples", "N", "20000", "proposals to weight"}},
    {"arbg demo", "arbg demo --coordinates cartesian", "arbg demo --train-time 60m --output runs/hour"}};

class Stage {
 public:
  explicit Stage(const char* text) : start_(std::chrono::steady_clock::now()) {
    std::fprintf(stderr, "%s\n", text);
  }
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_;
};

}  // namespace

int demo_command(const Words& words) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  const std::string sequence = arguments.text("sequence"), coordinates = arguments.text("coordinates");
  const std::filesystem::path output = arguments.given("output") ? arguments.text("output") : "runs/demo-" + coordinates;
  const std::int64_t md_steps = arguments.integer("md-steps", 1), sample_count = arguments.integer("samples", 2);
  const double train_time_s = arguments.duration_s("train-time");
  require(coordinates == "internal" || coordinates == "cartesian", "--coordinates expects internal or cartesian, got '",
          coordinates, "'");
  const Stage whole("An autoregressive Boltzmann generator, from force field to weighted samples.");
  std::vector<std::pair<std::string, std::string>> facts;

  const Stage md_stage("1/4  Molecular dynamics: reference conformations to learn from and to compare with");
  MdJob md;
  md.output = output / "md";
  md.options.sequence = sequence;
  md.options.forcefield = "amber99sbildn-obc2";
  md.options.ladder = 4;
  md.options.top_temperature_kelvin = 600;
  md.options.replicas = 24;
  md.options.steps = md_steps;
  md.options.save_interval = 100;
  md.options.seed = common.seed;
  const MdOutcome dynamics = run_md_job(md);
  if (!dynamics.result.finished) return 130;
  const std::string frames = std::to_string(dynamics.result.frames) + " frames at 300 K, 24 replicas of 4 temperatures";
  facts.emplace_back("molecular dynamics", dynamics.steps == 0 ? frames + ", made before"
                                                               : frames + ", in " + format_duration(md_stage.seconds()) + " (" +
                         format_number(dynamics.ns_per_day, 3) + " ns/day together)");
  const Dataset reference = load_dataset(md.output);

  const Stage train_stage("2/4  Training the transformer by maximum likelihood and the energies of the frames");
  TrainJob train;
  train.output = output / "model";
  train.coordinates = coordinates;
  train.backend = common.backend;
  set_recommended(train);
  train.trainer.time_budget_s = train_time_s;
  train.trainer.seed = common.seed;
  train.resume = std::filesystem::exists(train.output / "checkpoint.safetensors");
  const TrainOutcome trained = run_train_job(train, reference);
  if (!trained.complete) {
    std::fprintf(stderr, "interrupted; everything is saved: run the same command to go on\n");
    return 130;
  }
  const std::string steps = std::to_string(trained.parameters) + " parameters, " + std::to_string(trained.steps) + " steps";
  facts.emplace_back("training", (trained.steps == trained.steps_before
                                      ? steps + ", done before"
                                      : steps + " in " + format_duration(train_stage.seconds()) + " (" +
                                            format_number(trained.samples_per_second, 3) + " samples/s), nats per coordinate " +
                                            format_number(trained.train_nats, 5)) +
                         "; held out " + format_number(trained.held_out_nats, 5));

  const Stage sample_stage("3/4  Sampling: independent conformations, each with its exact log q and its weight");
  SampleJob sample;
  sample.model = trained.checkpoint;
  sample.output = output / "samples";
  sample.count = sample_count;
  sample.seed = common.seed;
  sample.backend = common.backend;
  const Model model = load_model(sample.model, common.backend, true);
  const WeightedSamples samples = run_sample_job(sample, model);
  facts.emplace_back("sampling", std::to_string(samples.count()) + " samples and energies in " +
                                     format_duration(sample_stage.seconds()));

  const Stage evaluate_stage("4/4  Comparing weighted samples with the reference");
  EvaluationOptions options;
  options.seed = common.seed;
  const Evaluation evaluation = evaluate(samples, reference, &model, options);
  write_file(output / "evaluation.json", to_json(evaluation).dump(2) + "\n");
  facts.emplace_back("evaluation", format_duration(evaluate_stage.seconds()));
  facts.emplace_back("altogether", format_duration(whole.seconds()));

  ReportInput input;
  input.title = sequence + ": an autoregressive Boltzmann generator";
  input.subtitle = "amber99sbildn-obc2, 300 K, " + coordinates + " coordinates, seed " + std::to_string(common.seed);
  input.command = "arbg demo --sequence " + sequence + " --coordinates " + coordinates + " --train-time " +
                  arguments.text("train-time") + " --md-steps " + std::to_string(md_steps) + " --samples " +
                  std::to_string(sample_count) + " --seed " + std::to_string(common.seed);
  input.evaluation = &evaluation;
  input.samples = &samples;
  input.reference = &reference;
  input.train_log = train.output / "train_log.jsonl";
  input.facts = facts;
  write_report(output / "report.html", input);

  if (common.json) {
    Json out = to_json(evaluation);
    out["seconds"] = whole.seconds();
    std::puts(out.dump().c_str());
    return 0;
  }
  std::printf("\n%s, 300 K, %s coordinates\n\n%s\n%s\n", sequence.c_str(), coordinates.c_str(),
              results_table(evaluation).text().c_str(), published_table().text().c_str());
  for (const auto& [what, result] : facts) std::printf("%s: %s\n", what.c_str(), result.c_str());
  std::printf("\nreport: %s\n", (output / "report.html").c_str());
  return 0;
}

}  // namespace arbg::apps
