// arbg evaluate: compare weighted samples with reference conformations; write report.html.
#include <cstdio>

#include "apps/command_line.h"
#include "apps/commands/commands.h"
#include "apps/common_options.h"
#include "apps/report_page.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"

namespace arbg::apps {
namespace {

const CommandSpec kSpec{
    "evaluate",
    "compare weighted samples with reference conformations; write report.html",
    "",
    {{"samples", "FOLDER", "", "made by arbg sample"},
     {"reference", "FOLDER", "", "made by arbg md"},
     {"model", "FILE", "", "checkpoint.safetensors: adds the reference's likelihood and Bennett's log Z"},
     {"points", "N", "4000", "samples and frames compared in E-W2 and T-W2 (10000 takes minutes)"},
     {"output", "FOLDER", "", "where report.html and evaluation.json go (default: the samples' folder)"}},
    {"arbg evaluate --samples runs/ala2-samples --reference runs/ala2-md --model runs/ala2/checkpoint.safetensors"}};

}  // namespace

int evaluate_command(const Words& words) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  require(arguments.given("samples") && arguments.given("reference"), "--samples and --reference FOLDER are needed");
  const std::filesystem::path folder = arguments.text("samples");
  const std::filesystem::path output = arguments.given("output") ? arguments.text("output") : folder.string();

  const Dataset reference = load_dataset(arguments.text("reference"));
  const WeightedSamples samples = load_samples(folder, reference.topology.atom_count());
  std::optional<Model> model;
  if (arguments.given("model")) model.emplace(load_model(arguments.text("model"), common.backend, true));
  EvaluationOptions options;
  options.points = static_cast<std::size_t>(arguments.integer("points"));
  options.seed = common.seed;
  const Evaluation evaluation = evaluate(samples, reference, model ? &*model : nullptr, options);

  create_folder(output);
  write_file(output / "evaluation.json", to_json(evaluation).dump(2) + "\n");
  ReportInput input;
  input.title = "Weighted samples against molecular dynamics";
  input.subtitle = folder.string() + " against " + arguments.text("reference");
  input.command = "arbg evaluate --samples " + folder.string() + " --reference " + arguments.text("reference");
  input.evaluation = &evaluation;
  input.samples = &samples;
  input.reference = &reference;
  if (model) {
    const auto log = std::filesystem::path(arguments.text("model")).parent_path() / "train_log.jsonl";
    if (std::filesystem::exists(log)) input.train_log = log;
  }
  input.facts = {{"samples", std::to_string(samples.count())}, {"reference frames", std::to_string(reference.frames())}};
  write_report(output / "report.html", input);
  if (common.json) {
    std::puts(to_json(evaluation).dump().c_str());
  } else {
    std::printf("%s\n%s\nreport: %s\n", results_table(evaluation).text().c_str(), published_table().text().c_str(),
                (output / "report.html").c_str());
  }
  return 0;
}

}  // namespace arbg::apps
