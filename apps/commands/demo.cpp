// arbg demo: from a molecule to reweighted samples and a report, in one command.
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
#include "apps/pages/evaluation_tables.h"
#include "apps/pages/md_page.h"
#include "apps/pages/report_page.h"
#include "apps/pages/train_page.h"
#include "apps/runs/computed_by.h"
#include "apps/runs/recipes.h"
#include "apps/runs/results_json.h"
#include "apps/runs/run_folder.h"
#include "md/dynamics/scramble.h"
#include "md/dynamics/simulation_file.h"
#include "metrics/pages/table.h"
#include "nn/files/checkpoint.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/json.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"

namespace arbg::apps {
namespace {

using metrics::format_number;

CommandSpec spec() {
  std::string systems;
  for (const auto name : recipe_systems())
    systems += (systems.empty() ? "" : ", ") + std::string(name);
  return {
      "demo",
      "everything on one molecule: md, train, sample, reweight, evaluate, audit, report",
      "",
      with_decoding(
          {{"output", "FOLDER", "",
            "where all results go (default: runs/demo-COORDINATES, and MOLECULE between the two "
            "where it is not the dipeptide)"},
           {"system", "NAME", "dipeptide", "molecule with a recipe of its own: " + systems},
           {"coordinates", "NAME", "internal",
            "internal (bonds, angles, dihedrals) or cartesian (as published)"},
           {"sequence", "TEXT", "",
            "instead of --system, another peptide: with the settings of the system next in size"},
           {"forcefield", "NAME", "amber99sbildn-obc2",
            "with --sequence: amber99sbildn-obc2, or amber14-obc1"},
           {"train-time", "DURATION", "",
            "training time (default: the recipe's; less on a slow machine, to keep its time)"},
           {"md-steps", "N", "",
            "steps of each of 24 replicas in either run of dynamics, and at most as many before "
            "them "
            "to warm up (default: the recipe's, or as many as a slow machine does in its time)"},
           {"md-seed", "N", "",
            "seed of the dynamics: demos of the same may share them (default: that of --seed)"},
           {"samples", "N", "", "weighted samples to draw (default: the recipe's, 20000)"}},
          "the recipe's"),
      {"arbg demo", "arbg demo --coordinates cartesian", "arbg demo --system AAA",
       "arbg demo --sequence Ace-GSG-Nme --train-time 60m --output runs/hour"}};
}

constexpr int kReplicas = 24;
constexpr double kTopTemperature_K = 600;

// How a recipe's time is kept on a machine that is slow or has other work: dynamics end after their
// limit, training has what is left, and the stages after it are given as much time for each step of
// dynamics as they need on any machine. Altogether the dipeptide has ten minutes.
constexpr double kDynamicsAndTraining = 0.9, kLeastTraining_s = 60;
constexpr double kAfterTraining = 0.35;  // of the time of the recipe's dynamics

struct DemoOptions {
  std::filesystem::path output;
  Recipe recipe;
  std::optional<double> train_time_s;                // otherwise as above
  std::optional<std::int64_t> md_steps;              // likewise
  std::optional<tensor::ProductPrecision> products;  // of training; otherwise as recommended
  std::int64_t samples;
  std::uint64_t md_seed;
  sampling::Decoding decoding;
  CommonOptions common;

  bool own_times() const { return train_time_s || md_steps; }
};

Recipe recipe_from(const Arguments& arguments) {
  const std::string coordinates = arguments.text("coordinates");
  require(!(arguments.given("system") && arguments.given("sequence")),
          "give --system or --sequence, not both");
  require(arguments.given("sequence") || !arguments.given("forcefield"),
          "--forcefield goes with --sequence: a system has its own");
  if (!arguments.given("sequence")) return recipe_of_system(arguments.text("system"), coordinates);
  return recipe_of_sequence(arguments.text("sequence"), arguments.text("forcefield"), coordinates);
}

DemoOptions options_from(const Arguments& arguments) {
  DemoOptions out;
  out.common = apply_common_options(arguments);
  out.recipe = recipe_from(arguments);
  const std::string molecule =
      arguments.given("sequence") ? out.recipe.sequence : out.recipe.system;
  out.output =
      arguments.given("output")
          ? arguments.text("output")
          : "runs/demo-" + (molecule == "dipeptide" ? "" : molecule + "-") + out.recipe.coordinates;
  if (arguments.given("md-steps"))  // two frames of each replica
    out.md_steps = arguments.integer("md-steps", 2 * out.recipe.save_interval);
  out.md_seed = arguments.given("md-seed") ? arguments.natural("md-seed") : out.common.seed;
  out.samples = arguments.given("samples") ? arguments.integer("samples", 2) : out.recipe.samples;
  out.decoding = decoding_from(arguments, out.recipe.sampling_temperature);
  if (arguments.given("products")) out.products = tensor::product_precision();
  if (arguments.given("train-time")) out.train_time_s = arguments.duration_s("train-time");
  return out;
}

// Steps of a run of dynamics, if it is complete.
std::optional<std::int64_t> steps_made(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "run.json")) return {};
  const auto run = md::read_simulation_file(folder);
  if (!run.complete()) return {};
  return run.options.steps;
}

// A run that is there keeps what it did before its frames: one of an older version is not
// scrambled.
void keep_beginning(const std::filesystem::path& folder, md::SimulationOptions& options) {
  if (!std::filesystem::exists(folder / "run.json")) return;
  const md::SimulationOptions there = md::read_simulation_file(folder).options;
  options.warmup_steps = there.warmup_steps;
  options.scramble_steps = there.scramble_steps;
  options.scramble_kelvin = there.scramble_kelvin;
}

// The stages of the demo, in order. Each notes what it did and how long it took.
class Demo {
 public:
  explicit Demo(DemoOptions options)
      : options_(std::move(options)),
        output_(options_.output, RunKind::demo, {RunKind::demo, RunKind::evaluate}),
        md_(options_.output / "md", RunKind::demo, {RunKind::md}),
        second_(options_.output / "reference", RunKind::demo, {RunKind::md}),
        training_(options_.output / "model", RunKind::demo, {RunKind::train}),
        sampling_(options_.output / "samples", RunKind::demo, {RunKind::sample}),
        checkpoint_(training_.path() / "checkpoint.safetensors") {
    require_can_go_on();
    expect();
  }

  bool simulate();            // false: interrupted, everything is saved
  bool simulate_reference();  // likewise
  bool train();               // likewise
  void sample();
  void evaluate_samples();
  void audit(const std::string& command);
  void report(const std::string& command);
  void print() const;
  bool passed() const { return audit_.passed(); }

 private:
  void require_can_go_on() const;
  void expect() const;
  MdOutcome run_dynamics(const RunFolder& folder, const md::SimulationOptions& begun);
  void note_dynamics(const char* what, const MdOutcome& outcome);
  double training_s() const;
  void begin(const char* stage, const char* text) {
    std::fprintf(stderr, "%s\n", text);
    stage_ = stage;
    stage_start_ = Clock::now();
  }
  void end();
  static double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }
  std::string stage_time() const { return format_duration(seconds_since(stage_start_)); }
  void note(const char* what, std::string result) { facts_.emplace_back(what, std::move(result)); }

  using Clock = std::chrono::steady_clock;
  DemoOptions options_;
  RunFolder output_, md_, second_, training_, sampling_;
  std::filesystem::path checkpoint_;
  Clock::time_point start_ = Clock::now(), stage_start_ = start_;
  const char* stage_ = "";
  std::vector<std::pair<std::string, std::string>> facts_;
  double seconds_a_step_ = 0;          // of dynamics, in this call
  sampling::Convergence convergence_;  // of the reference
  Dataset reference_;
  std::optional<Model> model_;
  SamplesRun samples_;
  sampling::Evaluation evaluation_;
  sampling::Audit audit_;
};

// A model goes on with the frames that it began with only, and the reference was there before it.
void Demo::require_can_go_on() const {
  if (!std::filesystem::exists(checkpoint_)) return;
  const std::int64_t made = steps_made(md_.path()).value_or(0);
  require(made == 0 || made == options_.md_steps.value_or(made), options_.output.string(),
          " holds a model trained on ", made, " steps of dynamics; give --md-steps ", made,
          " or choose another --output");
  require(steps_made(second_.path()).has_value(), options_.output.string(),
          " holds a model but no complete run ", second_.path().filename().string(),
          ", as demos of older versions do; choose another --output");
}

void Demo::expect() const {
  std::fprintf(stderr, "%s%s\n", options_.recipe.expectation.c_str(),
               options_.own_times() ? "; this is with the times of the recipe" : "");
}

// How long the stage took, added to what earlier calls took.
void Demo::end() {
  const auto path = options_.output / "times.json";
  Json times = Json::object();
  if (std::filesystem::exists(path)) times = Json::parse(read_file(path), path.string());
  const double before = times.has(stage_) ? times.at(stage_).number() : 0;
  times[stage_] = before + seconds_since(stage_start_);
  output_.require_ours();
  write_file(path, times.dump(2) + "\n");
}

// `begun`: seed, scramble and warm-up. A complete run that is there keeps its steps.
MdOutcome Demo::run_dynamics(const RunFolder& folder, const md::SimulationOptions& begun) {
  const Recipe& recipe = options_.recipe;
  MdJob job{folder.path(), {}, begun};
  job.options.sequence = recipe.sequence;
  job.options.forcefield = recipe.forcefield;
  set_published(job.options);
  job.options.ladder = 0;
  job.options.top_temperature_kelvin = kTopTemperature_K;
  job.options.replicas = kReplicas;
  job.options.steps = options_.md_steps.value_or(steps_made(job.output).value_or(recipe.steps));
  job.options.warmup_steps = std::min(begun.warmup_steps, job.options.steps);
  keep_beginning(job.output, job.options);
  if (!options_.md_steps) job.options.most_seconds = recipe.most_dynamics_s / 2;
  job.options.save_interval = recipe.save_interval;
  job.options.backend = options_.common.backend;
  const MdOutcome outcome = run_md_job(job, folder);
  if (outcome.steps > 0) seconds_a_step_ = outcome.seconds / static_cast<double>(outcome.steps);
  if (outcome.result.finished) {
    folder.require_ours();
    write_md_page(job.output / "report.html", job, outcome);
  }
  end();
  return outcome;
}

void Demo::note_dynamics(const char* what, const MdOutcome& outcome) {
  note(what,
       std::to_string(outcome.result.frames) + " frames, " + std::to_string(kReplicas) +
           " replicas of " + std::to_string(outcome.ladder_kelvin.size()) + " temperatures, " +
           (outcome.steps == 0 ? "made before"
                               : "in " + stage_time() + " (" +
                                     format_number(outcome.ns_per_day, 3) + " ns/day together)") +
           convergence_text(outcome.convergence));
}

bool Demo::simulate() {
  begin("dynamics", "1/6  Molecular dynamics: conformations to learn from");
  md::SimulationOptions begun;
  begun.seed = options_.md_seed;
  const MdOutcome outcome = run_dynamics(md_, begun);
  if (outcome.result.finished) note_dynamics("molecular dynamics", outcome);
  return outcome.result.finished;
}

bool Demo::simulate_reference() {
  begin("reference",
        "2/6  A second run of it, scrambled: the reference, which training does not see");
  md::SimulationOptions begun;
  begun.seed = stream_id(streams::kReferenceRun, options_.md_seed);
  // Where the machine is so slow that the first run was cut short, there is less time for these.
  const std::int64_t made = steps_made(md_.path()).value();
  begun.warmup_steps = std::min(options_.recipe.reference_warmup, made);
  begun.scramble_steps = std::min(md::scramble_steps(begun.timestep_ps), made);
  const MdOutcome outcome = run_dynamics(second_, begun);
  if (!outcome.result.finished) return false;
  note_dynamics("reference", outcome);
  note("replicas", outcome.convergence.agreement.sentence(" of the reference"));
  convergence_ = outcome.convergence;
  reference_ = load_dataset(second_.path());
  return true;
}

// A run that goes on keeps its time, which is part of what it is.
double Demo::training_s() const {
  if (options_.train_time_s) return *options_.train_time_s;
  if (std::filesystem::exists(checkpoint_)) {
    const Json trainer = nn::Checkpoint::read(checkpoint_, options_.common.backend).trainer;
    if (trainer.is_object()) return trainer.at("options").at("time_budget_s").number();
  }
  const Recipe& recipe = options_.recipe;
  const double altogether_s = (recipe.most_dynamics_s + recipe.train_s) / kDynamicsAndTraining,
               after_s = kAfterTraining * seconds_a_step_ * static_cast<double>(2 * recipe.steps);
  return std::clamp(altogether_s - seconds_since(start_) - after_s, kLeastTraining_s,
                    std::max(kLeastTraining_s, recipe.train_s));
}

bool Demo::train() {
  begin("training",
        "3/6  Training the transformer by maximum likelihood and the energies of the frames");
  TrainJob job;
  job.output = training_.path();
  job.coordinates = options_.recipe.coordinates;
  job.backend = options_.common.backend;
  set_recommended(job);
  job.network.channels = options_.recipe.channels;
  job.network.num_layers = options_.recipe.layers;
  job.network.num_heads = options_.recipe.heads;
  job.trainer.time_budget_s = training_s();
  job.trainer.seed = options_.common.seed;
  job.resume = std::filesystem::exists(checkpoint_);
  const tensor::WithPrecision with(options_.products.value_or(recommended_products(job)));
  const TrainOutcome outcome = run_train_job(job, load_dataset(md_.path()), training_);
  training_.require_ours();
  write_train_page(job.output / "report.html", job, outcome);
  end();
  if (!outcome.complete) return false;
  std::string result = std::to_string(outcome.parameters) + " parameters, " +
                       std::to_string(outcome.steps) + " steps, products in " +
                       products_of(job.backend);
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
  begin("sampling",
        "4/6  Sampling: independent conformations, each with its exact log q and its weight");
  SampleJob job;
  job.model = checkpoint_;
  job.output = options_.output / "samples";
  job.count = options_.samples;
  job.decoding = options_.decoding;
  job.seed = options_.common.seed;
  job.backend = options_.common.backend;
  model_.emplace(load_model(job.model, job.backend, job.averaged));
  samples_ = run_sample_job(job, *model_, sampling_);
  end();
  note("sampling", std::to_string(samples_.count()) + " samples (" + options_.decoding.text() +
                       ") and energies in " + stage_time());
  if (options_.decoding.biased()) note("weights", sampling::kTruncated);
}

void Demo::evaluate_samples() {
  begin("evaluation", "5/6  Comparing weighted samples with the reference");
  sampling::EvaluationOptions options;
  options.held_out = 1;
  options.seed = options_.common.seed;
  evaluation_ =
      sampling::evaluate(samples_.ensemble(), reference_.ensemble(), &model_->generator, options);
  output_.require_ours();
  write_file(options_.output / "evaluation.json", to_json(evaluation_).dump(2) + "\n");
  const auto components = components_text(evaluation_, reference_.topology);
  if (!components.empty()) write_file(options_.output / "tica.json", components);
  end();
  note("evaluation", stage_time());
}

void Demo::audit(const std::string& command) {
  begin("audit", "6/6  Auditing: is every statement about likelihoods, energies and weights true?");
  AuditJob job = audit_job_of(options_.output);
  job.seed = options_.common.seed;
  job.backend = options_.common.backend;
  audit_ = run_audit(job);
  write_audit(output_, audit_, command);
  end();
  note("audit", verdict_of(audit_) + ", in " + stage_time());
  note("altogether", format_duration(seconds_since(start_)));
}

void Demo::report(const std::string& command) {
  ReportInput input;
  input.title = options_.recipe.sequence + ": an autoregressive Boltzmann generator";
  input.subtitle = reference_.forcefield + ", " + format_number(reference_.temperature_kelvin, 3) +
                   " K, " + options_.recipe.coordinates + " coordinates, seed " +
                   std::to_string(options_.common.seed);
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
    out["reference"] = to_json(convergence_);
    out["audit"] = verdict_of(audit_);
    out["seconds"] = seconds_since(start_);
    std::puts(out.dump().c_str());
    return;
  }
  std::printf("\n%s, %s, %s K, %s coordinates\n\n%s\n%s\n", options_.recipe.sequence.c_str(),
              reference_.forcefield.c_str(),
              format_number(reference_.temperature_kelvin, 3).c_str(),
              options_.recipe.coordinates.c_str(), results_table(evaluation_).text().c_str(),
              published_table().text().c_str());
  for (const auto& [what, result] : facts_) std::printf("%s: %s\n", what.c_str(), result.c_str());
  std::printf("\nreport: %s\n", (options_.output / "report.html").c_str());
}

}  // namespace

int demo_command(const Words& words) {
  const Arguments arguments(spec(), words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  std::string command = "arbg demo";
  for (const auto& word : words) command += " " + word;

  Demo demo(options_from(arguments));
  if (!demo.simulate() || !demo.simulate_reference() || !demo.train() ||
      (demo.sample(), interrupted())) {
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
