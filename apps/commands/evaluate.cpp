// arbg evaluate: compare weighted samples with reference conformations; write report.html.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/commands/commands.h"
#include "apps/jobs/smc_job.h"
#include "apps/pages/audit_page.h"
#include "apps/pages/report_page.h"
#include "apps/pages/smc_page.h"
#include "apps/runs/given_samples.h"
#include "apps/runs/results_json.h"
#include "apps/runs/run_folder.h"
#include "md/files/pdb.h"
#include "md/files/trajectory_order.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"

namespace arbg::apps {
namespace {

const CommandSpec kSpec{
    "evaluate",
    "compare weighted samples with reference conformations; write report.html",
    "",
    {{"samples", "PATH", "",
      "folder made by arbg sample; or conformations from elsewhere: a folder made by arbg md, or a "
      ".npy, .npz or .dcd file, with a PDB file beside it if its atoms have another order"},
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
     {"points", "N", "4000", "samples and frames that E-W2 and T-W2 compare (10000 takes minutes)"},
     {"output", "FOLDER", "",
      "where report.html and evaluation.json go (default: the folder of arbg sample)"}},
    {"arbg evaluate --samples runs/ala2-samples --reference runs/ala2-md --model "
     "runs/ala2/checkpoint.safetensors",
     "arbg evaluate --samples theirs.dcd --weights log_w.npy --reference runs/ala2-md --output "
     "runs/theirs"}};

// Not a folder of arbg sample, and there.
bool is_from_elsewhere(const std::filesystem::path& samples) {
  std::error_code not_there;
  return std::filesystem::is_regular_file(samples, not_there) || kind_of(samples) == RunKind::md;
}

// Samples of another molecule, force field or temperature cannot be compared: their energies mean
// something else. Atoms in another order can: the reference takes that of the samples.
void match_molecule(const std::filesystem::path& samples, const SamplesRun& run, Dataset& reference,
                    const std::filesystem::path& reference_path) {
  if (reference.reorder(run.topology, reference_path.string()))
    std::fprintf(stderr, "%s: atoms are matched by names to those of %s\n", reference_path.c_str(),
                 samples.c_str());
  require(run.file.forcefield == reference.forcefield &&
              run.file.temperature_kelvin == reference.temperature_kelvin,
          samples.string(), " is of ", run.file.forcefield, " at ", run.file.temperature_kelvin,
          " K, the reference of ", reference.forcefield, " at ", reference.temperature_kelvin,
          " K");
}

// Coordinates are by the order of atoms.
void require_same_atoms(const Model& model, const Dataset& reference, const std::string& path) {
  std::string difference = ": its atoms have another order than those of the samples";
  try {
    if (md::is_same_order(md::atom_order(model.topology, reference.topology))) return;
  } catch (const Error& error) {
    difference = std::string(": its atoms are not those of the samples: ") + error.what();
  }
  fail(path, difference, "; give the model that the samples are from");
}

// Arrays that are cut, or of another run than run.json, are not evaluated.
void require_own_arrays(const std::filesystem::path& folder, const SamplesRun& run) {
  require(run.count() == run.file.samples, folder.string(), ": run.json is of ", run.file.samples,
          " samples, the arrays are of ", run.count(), "; draw them again with arbg sample");
  if (!run.file.weights) return;
  const double stated = run.file.weights->log_z,
               found = metrics::summarise_weights(run.log_weight).log_z;
  require(!(std::abs(stated - found) > 1e-6 * std::max(1.0, std::abs(stated))), folder.string(),
          ": run.json has log Z ", stated, ", the weights of log_weight.npy ", found,
          ": they are of different runs; draw the samples again with arbg sample");
}

// What makes the figures biased: said by the samples' run.json, and what trimming adds.
std::vector<std::string> labels_of(const SamplesFile& run, double trim) {
  auto out = run.labels;
  if (trim > 0) {
    out.push_back("biased, as published: the largest " + metrics::format_number(100 * trim, 2) +
                  " % of the weights are dropped in all but the raw figures");
  }
  return out;
}

// The page, with the log of the model's training and the audit of the samples where these are.
void write_page(const std::filesystem::path& output, const std::filesystem::path& folder,
                const std::filesystem::path& reference_folder, const std::string& model,
                const sampling::Evaluation& evaluation, const SamplesRun& samples,
                const Dataset& reference, const std::vector<std::string>& labels) {
  const SamplesFile& run = samples.file;
  ReportInput input;
  input.title = "Weighted samples against molecular dynamics";
  input.subtitle = folder.string() + " against " + reference_folder.string();
  input.command =
      "arbg evaluate --samples " + folder.string() + " --reference " + reference_folder.string();
  input.evaluation = &evaluation;
  input.samples = &samples;
  input.reference = &reference;
  const auto log = std::filesystem::path(model).parent_path() / "train_log.jsonl";
  if (!model.empty() && std::filesystem::exists(log)) input.train_log = log;
  input.facts = {{"samples", std::to_string(samples.count())}};
  if (run.weight_kind == sampling::WeightKind::absolute)
    input.facts.emplace_back("decoding", run.decoding.text());
  input.facts.emplace_back("reference frames", std::to_string(reference.frames()));
  for (const auto& label : labels) input.facts.emplace_back("weights", label);
  if (run.reflected)
    input.facts.emplace_back("mirror images reflected", std::to_string(*run.reflected));
  if (evaluation.weights.zero_count > 0)
    input.facts.emplace_back("samples of weight 0", std::to_string(evaluation.weights.zero_count));
  const auto audit_path = folder / "audit.json";
  sampling::Audit audit;
  if (std::filesystem::exists(audit_path)) {
    audit = audit_from_json(Json::parse(read_file(audit_path), audit_path.string()),
                            audit_path.string());
    input.audit = &audit;
  }
  if (run.smc) input.smc_figures = smc_figures(run.smc->annealed, run.smc->outcome);
  write_report(output / "report.html", input);
}

struct Compared {
  SamplesRun samples;
  Dataset reference;
};

Compared load_own(const std::filesystem::path& folder, const std::filesystem::path& reference) {
  Compared out{read_samples(folder), {}};
  require_own_arrays(folder, out.samples);
  out.reference = load_dataset(reference, out.samples.file.forcefield);
  match_molecule(folder, out.samples, out.reference, reference);
  return out;
}

Compared load_given(const std::filesystem::path& samples, const std::filesystem::path& log_weights,
                    const std::filesystem::path& reference) {
  Compared out{{}, load_dataset(reference)};
  out.samples = load_given_samples(samples, log_weights, out.reference);
  return out;
}

}  // namespace

int evaluate_command(const Words& words) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  const std::filesystem::path folder = arguments.required("samples"),
                              reference_folder = arguments.required("reference");
  const bool given = is_from_elsewhere(folder);
  require(given || !arguments.given("weights"),
          "--weights is for conformations from elsewhere: ", folder.string(), " has its own");
  require(!given || arguments.given("output"),
          "--output FOLDER is needed: conformations from elsewhere have no folder for results");
  const std::filesystem::path output =
      arguments.given("output") ? arguments.text("output") : folder.string();

  sampling::EvaluationOptions options;
  options.points = static_cast<std::size_t>(arguments.integer("points", 2));
  options.seed = common.seed;

  if (!given) read_samples_file(folder);  // a wrong --samples is not called a wrong --output
  using Runs = std::vector<RunKind>;
  std::error_code not_there;
  const bool beside = !given && std::filesystem::equivalent(output, folder, not_there);
  const RunFolder written(output, RunKind::evaluate,
                          beside ? Runs{RunKind::sample} : Runs{RunKind::evaluate, RunKind::demo});
  auto [samples, reference] = given
                                  ? load_given(folder, arguments.text("weights"), reference_folder)
                                  : load_own(folder, reference_folder);
  const SamplesFile& run = samples.file;
  options.trim = arguments.number("trim");
  options.held_out = arguments.number("held-out");
  require(options.held_out > 0 && options.held_out <= 1,
          "--held-out expects a share above 0 and at most 1, got ", options.held_out);
  const auto labels = labels_of(run, options.trim);
  require(!arguments.given("model") || !given,
          "leave --model out: it says nothing of conformations from elsewhere");
  require(options.trim == 0 || run.weight_kind != sampling::WeightKind::none,
          "leave --trim out: these conformations have no weights; --weights gives them some");
  require(!arguments.given("model") || !(run.reflected || run.published_weights || run.smc),
          "leave --model out: samples that were reflected, have published weights, or come from "
          "sequential Monte Carlo do not have the model's own density, and Bennett's log Z cannot "
          "be had from both sides");
  std::optional<Model> model;
  if (arguments.given("model"))
    model.emplace(load_model(arguments.text("model"), common.backend, true,
                             ToldMolecule{reference.topology, reference.topology_pdb,
                                          reference.forcefield, reference.temperature_kelvin}));
  if (model) require_same_atoms(*model, reference, arguments.text("model"));
  require(!reference.reduced_energy.empty(),
          "the reference folder has no energy.npy; make it with arbg md");
  const auto evaluation = sampling::evaluate(samples.ensemble(), reference.ensemble(),
                                             model ? &model->generator : nullptr, options);

  constexpr const char* kFiles[] = {"evaluation.json", "report.html"};
  replace_together(written, kFiles, [&](const std::filesystem::path& fresh) {
    write_file(fresh / "evaluation.json", to_json(evaluation).dump(2) + "\n");
    write_page(fresh, folder, reference_folder, arguments.text("model"), evaluation, samples,
               reference, labels);
  });
  if (common.json) {
    std::puts(to_json(evaluation).dump().c_str());
  } else {
    for (const auto& label : labels) std::printf("weights: %s\n", label.c_str());
    std::printf("%s\n%s\nreport: %s\n", results_table(evaluation).text().c_str(),
                published_table().text().c_str(), (output / "report.html").c_str());
  }
  return 0;
}

}  // namespace arbg::apps
