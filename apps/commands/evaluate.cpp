// arbg evaluate: compare weighted samples with reference conformations; write report.html.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/cli/progress.h"
#include "apps/commands/commands.h"
#include "apps/jobs/evaluate_job.h"
#include "apps/jobs/smc_job.h"
#include "apps/pages/audit_page.h"
#include "apps/pages/comparison_page.h"
#include "apps/pages/evaluation_tables.h"
#include "apps/pages/report_page.h"
#include "apps/pages/smc_page.h"
#include "apps/runs/results_json.h"
#include "apps/runs/run_folder.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"

namespace arbg::apps {
namespace {

const CommandSpec kSpec{
    "evaluate",
    "compare weighted samples with reference conformations; write report.html",
    "",
    {{"samples", "LIST", "",
      "folder made by arbg sample; or conformations from elsewhere: a folder made by arbg md, or a "
      ".npy, .npz or .dcd file, with a PDB file beside it if its atoms have another order. "
      "Several, "
      "with commas or given again: one table of all"},
     {"weights", "FILE", "",
      "with conformations from elsewhere: .npy of their log weights, up to a constant"},
     {"reference", "FOLDER", "",
      "folder made by arbg md, or a published AAA_310K_test.npy (or .npz)"},
     {"model", "FILE", "",
      "checkpoint.safetensors: adds the reference's likelihood and Bennett's log Z"},
     {"held-out", "SHARE", "0.05",
      "with --model: the last frames of the reference, at most 4096, that training has not seen; "
      "1 if it has seen none"},
     {"trim", "FRACTION", "0",
      "drop this share of the samples, those of the largest weights, as published tables do "
      "(0.002 there): biased; raw figures come first"},
     {"tica-lag", "N", "100",
      "frames of a replica between which the slowest motions of the reference lose their memory: "
      "TICA-W2 and JSD; 0: leave them out"},
     {"tica", "FILE", "",
      "tica.json of an earlier evaluation of this molecule: samples are projected onto these "
      "components instead of fitted ones"},
     {"structure", "FILE", "",
      "PDB file: the C-alpha RMSD to it, and the share of conformations nearer than --folded"},
     {"folded", "NM", "0.2", "with --structure: a conformation is folded below this RMSD"},
     {"budgets", "LIST", "",
      "as 1e3,1e4,1e5: E-W2 and T-W2 of the first samples that took so many energies; of a folder "
      "made by arbg md, its steps"},
     {"published-protocol", "", "",
      "as published tables: --trim 0.002, --points 10000, multinomial resampling, the first frames "
      "of the reference, components without Koopman weights"},
     {"points", "N", "4000", "samples and frames that distances compare"},
     {"output", "FOLDER", "",
      "where report.html and evaluation.json go (default: the folder of arbg sample)"}},
    {"arbg evaluate --samples runs/ala2-samples --reference runs/ala2-md --model "
     "runs/ala2/checkpoint.safetensors",
     "arbg evaluate --samples theirs.dcd --weights log_w.npy --reference runs/ala2-md --output "
     "runs/theirs",
     "arbg evaluate --samples runs/a,runs/plain-md --budgets 1e4,1e5,1e6 --reference runs/ala2-md "
     "--output runs/curves",
     "arbg evaluate --samples runs/a,runs/b --reference runs/ala2-md --output runs/a-and-b"}};

constexpr const char* kFiles[] = {"evaluation.json", "report.html", "tica.json"};
constexpr std::size_t kPublishedPoints = 10000;
constexpr double kPublishedTrim = 0.002;

PublishedFigures published_beside(const EvaluateOutcome& outcome) {
  return published_figures(outcome.reference.topology, outcome.reference.forcefield,
                           outcome.reference.temperature_kelvin);
}

// The page, with the log of the model's training and the audit of the samples where these are.
void write_page(const std::filesystem::path& output, const EvaluateJob& job,
                const EvaluateOutcome& outcome, const std::string& command,
                const PublishedFigures& published) {
  const SamplesRun& samples = outcome.samples;
  const SamplesFile& run = samples.file;
  ReportInput input;
  input.title = "Weighted samples against molecular dynamics";
  input.subtitle = job.samples.string() + " against " + job.reference.string();
  input.command = command;
  input.evaluation = &outcome.evaluation;
  input.samples = &samples;
  input.reference = &outcome.reference;
  const auto log = job.model.parent_path() / "train_log.jsonl";
  if (!job.model.empty() && std::filesystem::exists(log)) input.train_log = log;
  if (!outcome.budgets.empty()) input.budgets = {{job.samples.string(), outcome.budgets}};
  input.published = published;
  input.facts = {{"samples", std::to_string(samples.count())}};
  if (run.weight_kind == sampling::WeightKind::absolute)
    input.facts.emplace_back("decoding", run.decoding.text());
  input.facts.emplace_back("reference frames", std::to_string(outcome.reference.frames()));
  for (const auto& label : outcome.labels) input.facts.emplace_back("weights", label);
  if (run.reflected)
    input.facts.emplace_back("mirror images reflected", std::to_string(*run.reflected));
  if (outcome.evaluation.weights.zero_count > 0)
    input.facts.emplace_back("samples of weight 0",
                             std::to_string(outcome.evaluation.weights.zero_count));
  const auto audit_path = job.samples / "audit.json";
  sampling::Audit audit;
  if (std::filesystem::exists(audit_path)) {
    audit = audit_from_json(Json::parse(read_file(audit_path), audit_path.string()),
                            audit_path.string());
    input.audit = &audit;
  }
  if (run.smc) input.smc_figures = smc_figures(run.smc->annealed, run.smc->outcome);
  write_report(output / "report.html", input);
}

std::vector<std::int64_t> budgets_from(const std::string& list) {
  std::vector<std::int64_t> out;
  std::istringstream text(list);
  for (std::string one; std::getline(text, one, ',');) {
    char* end = nullptr;
    const double energies = std::strtod(one.c_str(), &end);
    require(!one.empty() && *end == 0 && energies >= 1 && energies <= 1e15,
            "--budgets expects numbers of energies as 1e3,1e4, got \"", one, "\"");
    out.push_back(static_cast<std::int64_t>(energies));
  }
  std::ranges::sort(out);
  return out;
}

EvaluateJob job_from(const Arguments& arguments, const CommonOptions& common) {
  EvaluateJob job;
  job.log_weights = arguments.text("weights");
  job.reference = arguments.required("reference");
  job.model = arguments.text("model");
  job.backend = common.backend;
  job.budgets = budgets_from(arguments.text("budgets"));
  job.options.published = arguments.flag("published-protocol");
  job.options.points = static_cast<std::size_t>(arguments.integer("points", 2));
  job.options.seed = common.seed;
  job.options.trim = arguments.number("trim");
  require(job.options.trim >= 0 && job.options.trim < 1,
          "--trim expects a share from 0 to below 1, got ", job.options.trim);
  if (job.options.published) {
    require(!arguments.given("points") && !arguments.given("trim"),
            "--published-protocol says --points and --trim; leave them out");
    job.options.points = kPublishedPoints;
    job.options.trim = kPublishedTrim;
    job.options.tica.reweight = false;
  }
  job.options.held_out = arguments.number("held-out");
  job.tica = arguments.text("tica");
  require(job.tica.empty() || !arguments.given("tica-lag"),
          "leave --tica-lag out: the components of --tica have theirs");
  job.structure = arguments.text("structure");
  require(!arguments.given("folded") || !job.structure.empty(),
          "--folded is a distance from a structure; give it with --structure FILE");
  job.options.folded_nm = arguments.number("folded");
  require(job.options.folded_nm > 0, "--folded expects a distance above 0 nm, got ",
          job.options.folded_nm);
  job.options.tica.lag = static_cast<std::size_t>(arguments.integer("tica-lag", 0));
  return job;
}

std::vector<std::filesystem::path> paths_of(const std::string& list) {
  std::vector<std::filesystem::path> out;
  std::istringstream text(list);
  for (std::string path; std::getline(text, path, ',');) out.emplace_back(path);
  return out;
}

void print_budgets(const std::vector<BudgetCurve>& curves, const PublishedFigures& published) {
  std::printf("%s%s\n\n", budget_table(curves, published).text().c_str(), published.note.c_str());
}

// Results of one set of samples.
void evaluate_one(EvaluateJob job, const std::filesystem::path& output, const std::string& command,
                  bool as_json, const Ranks& ranks) {
  const bool own = !is_from_elsewhere(job.samples);
  if (own) read_samples_file(job.samples);  // a wrong --samples is not called a wrong --output
  using Runs = std::vector<RunKind>;
  std::error_code not_there;
  const bool beside = own && std::filesystem::equivalent(output, job.samples, not_there);
  const RunFolder written(output, RunKind::evaluate,
                          beside ? Runs{RunKind::sample} : Runs{RunKind::evaluate, RunKind::demo},
                          ranks);
  std::optional<Progress> progress("evaluate");
  job.options.progress = [&](double done, const char* next) { progress->update(done, next); };
  const EvaluateOutcome outcome = run_evaluate_job(job, ranks);
  if (!ranks.is_first()) return;
  progress.reset();  // its line ends before anything is printed
  const auto& evaluation = outcome.evaluation;
  const std::string components = components_text(outcome.evaluation, outcome.reference.topology);
  Json json = to_json(evaluation);
  const PublishedFigures published = published_beside(outcome);
  if (!outcome.budgets.empty()) {
    json["budgets"] = to_json(outcome.budgets);
    json["published"] = to_json(published);
  }
  replace_together(written, kFiles, [&](const std::filesystem::path& fresh) {
    write_file(fresh / "evaluation.json", json.dump(2) + "\n");
    if (!components.empty()) write_file(fresh / "tica.json", components);
    write_page(fresh, job, outcome, command, published);
  });
  if (as_json) {
    std::puts(json.dump().c_str());
    return;
  }
  for (const auto& label : outcome.labels) std::printf("weights: %s\n", label.c_str());
  if (!outcome.budgets.empty()) print_budgets({{job.samples.string(), outcome.budgets}}, published);
  std::printf("%s%s\n%s\n\n%s\nreport: %s\n", results_table(evaluation).text().c_str(),
              interval_note().c_str(), evaluation.agreement.sentence(" of the reference").c_str(),
              published_table().text().c_str(), (output / "report.html").c_str());
}

// Of several, in one table; their positions are not kept.
void evaluate_several(EvaluateJob job, const std::vector<std::filesystem::path>& all,
                      const std::filesystem::path& output, const std::string& command, bool as_json,
                      const Ranks& ranks) {
  require(job.model.empty() && job.log_weights.empty(),
          "--model and --weights are for one set of samples; leave them out, or give one");
  const RunFolder written(output, RunKind::evaluate, {}, ranks);
  Progress progress("evaluate");
  std::vector<ComparedSamples> compared;
  std::vector<double> reference_energy;
  std::string components;
  PublishedFigures published;
  Json json = Json::object();
  Json& list = json["evaluations"] = Json::list();
  for (const auto& samples : all) {
    job.samples = samples;
    progress.update(static_cast<double>(compared.size()) / static_cast<double>(all.size()),
                    samples.string());
    EvaluateOutcome outcome = run_evaluate_job(job, ranks);
    components = components_text(outcome.evaluation, outcome.reference.topology);
    published = published_beside(outcome);
    Json one = to_json(outcome.evaluation);
    one["samples"] = samples.string();
    if (!outcome.budgets.empty()) one["budgets"] = to_json(outcome.budgets);
    one["labels"] = Json(Json::List(outcome.labels.begin(), outcome.labels.end()));
    list.push_back(std::move(one));
    compared.push_back({samples.string(), std::move(outcome.evaluation),
                        std::move(outcome.samples.reduced_energy), std::move(outcome.budgets),
                        std::move(outcome.labels)});
    reference_energy = std::move(outcome.reference.reduced_energy);
  }
  if (!ranks.is_first()) return;
  const auto curves = curves_of(compared);
  if (!curves.empty()) json["published"] = to_json(published);
  replace_together(written, kFiles, [&](const std::filesystem::path& fresh) {
    write_file(fresh / "evaluation.json", json.dump(2) + "\n");
    if (!components.empty()) write_file(fresh / "tica.json", components);
    write_comparison(fresh / "report.html", compared, reference_energy, published,
                     job.reference.string(), command);
  });
  if (as_json) {
    std::puts(json.dump().c_str());
    return;
  }
  for (const ComparedSamples& one : compared) {
    for (const std::string& label : one.labels)
      std::printf("%s: weights: %s\n", one.name.c_str(), label.c_str());
  }
  if (!curves.empty()) print_budgets(curves, published);
  std::printf("%s\nreport: %s\n", comparison_table(compared).text().c_str(),
              (output / "report.html").c_str());
}

}  // namespace

int evaluate_command(const Words& words, const Ranks& ranks) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  EvaluateJob job = job_from(arguments, common);
  const auto all = paths_of(arguments.required("samples"));
  require(arguments.given("output") || (all.size() == 1 && !is_from_elsewhere(all.front())),
          "--output FOLDER is needed: only a single folder of arbg sample takes results itself");
  job.samples = all.front();
  const std::filesystem::path output =
      arguments.given("output") ? arguments.text("output") : job.samples.string();
  std::string command = "arbg evaluate";
  for (const auto& word : words) command += " " + word;
  if (all.size() == 1)
    evaluate_one(job, output, command, common.json, ranks);
  else
    evaluate_several(job, all, output, command, common.json, ranks);
  return 0;
}

}  // namespace arbg::apps
