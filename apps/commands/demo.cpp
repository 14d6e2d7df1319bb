// arbg demo: from a sequence to reweighted samples and a report, in one command.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>

#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/cli/decoding_options.h"
#include "apps/commands/commands.h"
#include "apps/jobs/audit_job.h"
#include "apps/jobs/md_job.h"
#include "apps/jobs/train_job.h"
#include "apps/pages/audit_page.h"
#include "apps/pages/report_page.h"
#include "apps/pages/train_page.h"
#include "apps/runs/results_json.h"
#include "apps/runs/run_folder.h"
#include "md/dynamics/simulation_file.h"
#include "metrics/pages/table.h"
#include "nn/files/checkpoint.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/interrupt.h"

namespace arbg::apps {
namespace {

using metrics::format_number;

// Of the network's categoricals: a little broader than trained, so that rare regions are not missed
// by a large factor. log q is that of the broadened distribution, and the weights stay exact. The
// published value for this molecule.
constexpr const char* kSamplingTemperature = "1.03";

const CommandSpec kSpec{
    "demo",
    "everything on alanine dipeptide: md, train, sample, reweight, evaluate, audit, report",
    "",
    with_decoding(
        {{"output", "FOLDER", "", "where all results go (default: runs/demo-COORDINATES)"},
         {"coordinates", "NAME", "internal",
          "internal (bonds, angles, dihedrals) or cartesian (as published)"},
         {"sequence", "TEXT", "Ace-A-Nme", "another capped peptide"},
         {"train-time", "DURATION", "",
          "training time (default: 6m, less on a slow machine, to end after ten minutes)"},
         {"md-steps", "N", "",
          "steps of each of 24 replicas, 4 temperatures each (default: 1200000, or as many as a "
          "slow machine does in three minutes)"},
         {"samples", "N", "20000", "weighted samples to draw"}},
        kSamplingTemperature),
    {"arbg demo", "arbg demo --coordinates cartesian",
     "arbg demo --train-time 60m --output runs/hour"}};

constexpr const char* kForceField = "amber99sbildn-obc2";
constexpr int kReplicas = 24, kLadder = 4;

// How ten minutes are kept on a machine that is slow or has other work: dynamics end after their
// limit, training has what is left, and the stages after it are given as much time for each step of
// dynamics as they need on any machine.
constexpr double kAltogether_s = 600, kMostDynamics_s = 180, kMostTraining_s = 360,
                 kLeastTraining_s = 60;
constexpr std::int64_t kDynamicsSteps = 1200000;
constexpr double kAfterTraining = 0.35;  // of the time of so many steps

struct DemoOptions {
  std::filesystem::path output;
  std::string sequence, coordinates;
  std::optional<double> train_time_s;    // otherwise as above
  std::optional<std::int64_t> md_steps;  // likewise
  std::int64_t samples;
  sampling::Decoding decoding;
  CommonOptions common;
};

DemoOptions options_from(const Arguments& arguments) {
  DemoOptions out;
  out.common = apply_common_options(arguments);
  out.sequence = arguments.text("sequence");
  out.coordinates = arguments.text("coordinates");
  out.output =
      arguments.given("output") ? arguments.text("output") : "runs/demo-" + out.coordinates;
  if (arguments.given("md-steps")) out.md_steps = arguments.integer("md-steps", 1);
  out.samples = arguments.integer("samples", 2);
  out.decoding = decoding_from(arguments);
  if (arguments.given("train-time")) out.train_time_s = arguments.duration_s("train-time");
  require(out.coordinates == "internal" || out.coordinates == "cartesian",
          "--coordinates expects internal or cartesian, got '", out.coordinates, "'");
  return out;
}

// Of a run of dynamics that is complete, its steps; otherwise 0.
std::int64_t complete_steps(const std::filesystem::path& folder) {
  if (kind_of(folder) != RunKind::md) return 0;
  const auto run = md::read_simulation_file(folder);
  return run.complete() ? run.options.steps : 0;
}

std::string slowest_torsion(const sampling::Convergence& convergence) {
  if (convergence.torsions.empty()) return "";
  const sampling::TorsionConvergence& slowest = convergence.slowest();
  return "; slowest torsion " + slowest.name + ", " + format_number(slowest.effective_frames, 3) +
         " effective frames";
}

// The stages of the demo, in order. Each notes what it did and how long it took.
class Demo {
 public:
  explicit Demo(DemoOptions options)
      : options_(std::move(options)),
        output_(options_.output, RunKind::demo, {RunKind::demo, RunKind::evaluate}),
        md_(options_.output / "md", RunKind::demo, {RunKind::md}),
        training_(options_.output / "model", RunKind::demo, {RunKind::train}),
        sampling_(options_.output / "samples", RunKind::demo, {RunKind::sample}) {}

  bool simulate();  // false: interrupted, everything is saved
  bool train();     // likewise
  void sample();
  void evaluate_samples();
  void audit(const std::string& command);
  void report(const std::string& command);
  void print() const;
  bool passed() const { return audit_.passed(); }

 private:
  double training_s(const std::filesystem::path& checkpoint) const;
  void begin(const char* text) {
    std::fprintf(stderr, "%s\n", text);
    stage_start_ = Clock::now();
  }
  static double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }
  std::string stage_time() const { return format_duration(seconds_since(stage_start_)); }
  void note(const char* what, std::string result) { facts_.emplace_back(what, std::move(result)); }

  using Clock = std::chrono::steady_clock;
  DemoOptions options_;
  RunFolder output_, md_, training_, sampling_;
  Clock::time_point start_ = Clock::now(), stage_start_ = start_;
  std::vector<std::pair<std::string, std::string>> facts_;
  double seconds_a_step_ = 0;  // of dynamics, in this call
  Dataset reference_;
  std::filesystem::path checkpoint_;
  std::optional<Model> model_;
  SamplesRun samples_;
  sampling::Evaluation evaluation_;
  sampling::Audit audit_;
};

bool Demo::simulate() {
  MdJob job;
  job.output = options_.output / "md";
  job.options.sequence = options_.sequence;
  job.options.forcefield = kForceField;
  job.options.ladder = kLadder;
  job.options.top_temperature_kelvin = 600;
  job.options.replicas = kReplicas;
  const std::int64_t made = complete_steps(job.output);
  job.options.steps = options_.md_steps.value_or(made > 0 ? made : kDynamicsSteps);
  // Training goes on with the frames that it began with only.
  const bool trained = std::filesystem::exists(options_.output / "model/checkpoint.safetensors");
  require(!trained || made == 0 || made == job.options.steps, options_.output.string(),
          " holds a model trained on ", made, " steps of dynamics; give --md-steps ", made,
          " or choose another --output");
  begin("1/5  Molecular dynamics: reference conformations to learn from and to compare with");
  if (!options_.md_steps) job.options.most_seconds = kMostDynamics_s;
  job.options.save_interval = 200;
  job.options.seed = options_.common.seed;
  job.options.backend = backend_of_molecules(options_.common.backend);
  const MdOutcome outcome = run_md_job(job, md_);
  if (!outcome.result.finished) return false;
  if (outcome.steps > 0) seconds_a_step_ = outcome.seconds / static_cast<double>(outcome.steps);
  note("molecular dynamics",
       std::to_string(outcome.result.frames) + " frames at 300 K, " + std::to_string(kReplicas) +
           " replicas of " + std::to_string(kLadder) + " temperatures, " +
           (outcome.steps == 0 ? "made before"
                               : "in " + stage_time() + " (" +
                                     format_number(outcome.ns_per_day, 3) + " ns/day together)") +
           slowest_torsion(outcome.convergence));
  reference_ = load_dataset(job.output);
  return true;
}

// A run that goes on keeps its time, which is part of what it is.
double Demo::training_s(const std::filesystem::path& checkpoint) const {
  if (options_.train_time_s) return *options_.train_time_s;
  if (std::filesystem::exists(checkpoint)) {
    const Json trainer = nn::Checkpoint::read(checkpoint, options_.common.backend).trainer;
    if (trainer.is_object()) return trainer.at("options").at("time_budget_s").number();
  }
  const double after_s = kAfterTraining * seconds_a_step_ * static_cast<double>(kDynamicsSteps);
  return std::clamp(kAltogether_s - seconds_since(start_) - after_s, kLeastTraining_s,
                    kMostTraining_s);
}

bool Demo::train() {
  begin("2/5  Training the transformer by maximum likelihood and the energies of the frames");
  TrainJob job;
  job.output = options_.output / "model";
  job.coordinates = options_.coordinates;
  job.backend = options_.common.backend;
  set_recommended(job);
  const auto checkpoint = job.output / "checkpoint.safetensors";
  job.trainer.time_budget_s = training_s(checkpoint);
  job.trainer.seed = options_.common.seed;
  job.resume = std::filesystem::exists(checkpoint);
  const TrainOutcome outcome = run_train_job(job, reference_, training_);
  training_.require_ours();
  write_train_page(job.output / "report.html", job, outcome);
  if (!outcome.complete) return false;
  checkpoint_ = outcome.checkpoint;
  std::string result = std::to_string(outcome.parameters) + " parameters, " +
                       std::to_string(outcome.steps) + " steps";
  if (outcome.steps == outcome.steps_before) {
    result += ", done before";
  } else {
    result += " in " + stage_time() + " (" + format_number(outcome.samples_per_second, 3) +
              " samples/s), nats per coordinate " + format_number(outcome.train_nats, 5);
  }
  note("training", result + "; held out " + format_number(outcome.held_out_nats, 5));
  return true;
}

void Demo::sample() {
  begin("3/5  Sampling: independent conformations, each with its exact log q and its weight");
  SampleJob job;
  job.model = checkpoint_;
  job.output = options_.output / "samples";
  job.count = options_.samples;
  job.decoding = options_.decoding;
  job.seed = options_.common.seed;
  job.backend = options_.common.backend;
  model_.emplace(load_model(job.model, job.backend, job.averaged));
  samples_ = run_sample_job(job, *model_, sampling_);
  note("sampling", std::to_string(samples_.count()) + " samples (" + options_.decoding.text() +
                       ") and energies in " + stage_time());
  if (options_.decoding.biased()) note("weights", sampling::kTruncated);
}

void Demo::evaluate_samples() {
  begin("4/5  Comparing weighted samples with the reference");
  sampling::EvaluationOptions options;
  options.seed = options_.common.seed;
  evaluation_ =
      sampling::evaluate(samples_.ensemble(), reference_.ensemble(), &model_->generator, options);
  output_.require_ours();
  write_file(options_.output / "evaluation.json", to_json(evaluation_).dump(2) + "\n");
  note("evaluation", stage_time());
}

void Demo::audit(const std::string& command) {
  begin("5/5  Auditing: is every statement about likelihoods, energies and weights true?");
  AuditJob job = audit_job_of(options_.output);
  job.seed = options_.common.seed;
  job.backend = options_.common.backend;
  audit_ = run_audit(job);
  write_audit(output_, audit_, command);
  note("audit", verdict_of(audit_) + ", in " + stage_time());
  note("altogether", format_duration(seconds_since(start_)));
}

void Demo::report(const std::string& command) {
  ReportInput input;
  input.title = options_.sequence + ": an autoregressive Boltzmann generator";
  input.subtitle = std::string(kForceField) + ", 300 K, " + options_.coordinates +
                   " coordinates, seed " + std::to_string(options_.common.seed);
  input.command = command;
  input.evaluation = &evaluation_;
  input.samples = &samples_;
  input.reference = &reference_;
  input.train_log = options_.output / "model" / "train_log.jsonl";
  input.audit = &audit_;
  input.facts = facts_;
  output_.require_ours();
  write_report(options_.output / "report.html", input);
}

void Demo::print() const {
  if (options_.common.json) {
    Json out = to_json(evaluation_);
    out["audit"] = verdict_of(audit_);
    out["seconds"] = seconds_since(start_);
    std::puts(out.dump().c_str());
    return;
  }
  std::printf("\n%s, 300 K, %s coordinates\n\n%s\n%s\n", options_.sequence.c_str(),
              options_.coordinates.c_str(), results_table(evaluation_).text().c_str(),
              published_table().text().c_str());
  for (const auto& [what, result] : facts_) std::printf("%s: %s\n", what.c_str(), result.c_str());
  std::printf("\nreport: %s\n", (options_.output / "report.html").c_str());
}

}  // namespace

int demo_command(const Words& words) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  std::string command = "arbg demo";
  for (const auto& word : words) command += " " + word;

  Demo demo(options_from(arguments));
  if (!demo.simulate() || !demo.train() || (demo.sample(), interrupted())) {
    std::fprintf(stderr, "interrupted; everything is saved: run the same command to go on\n");
    return 130;
  }
  release_interrupts();  // what follows saves nothing between its steps
  demo.evaluate_samples();
  demo.audit(command);
  demo.report(command);
  demo.print();
  return demo.passed() ? 0 : 1;
}

}  // namespace arbg::apps
