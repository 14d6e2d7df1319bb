// arbg plot: one picture of a report of samples, alone, as SVG.
#include <cstdio>

#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/commands/commands.h"
#include "apps/jobs/evaluate_job.h"
#include "apps/pages/evaluation_pictures.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"

namespace arbg::apps {
namespace {

const CommandSpec kSpec{
    "plot",
    "one picture of the report of evaluate, as an SVG file",
    "PICTURE",
    {{"list", "", "", "name all pictures that there are of these samples"},
     {"samples", "FOLDER", "", "as evaluate takes them: of arbg sample or md, or a file"},
     {"weights", "FILE", "", "with conformations from elsewhere: .npy of their log weights"},
     {"reference", "FOLDER", "", "folder made by arbg md, or a published .npy file"},
     {"residue", "NAME", "", "of which one the picture is, as ALA2 or 2"},
     {"structure", "FILE", "", "PDB file: adds the picture rmsd, of C-alpha atoms to it"},
     {"tica-lag", "N", "100", "as of evaluate"},
     {"points", "N", "4000", "samples and frames that histograms of size and bonds take"},
     {"output", "FILE", "", "the .svg file to write (default: standard output)"}},
    {"arbg plot --list --samples runs/ala2-samples --reference runs/ala2-md",
     "arbg plot ramachandran --residue 2 --samples runs/ala2-samples --reference runs/ala2-md "
     "--output ramachandran.svg",
     "arbg plot energies --samples theirs.dcd --weights log_w.npy --reference runs/ala2-md "
     ">energies.svg"}};

std::vector<Picture> pictures_from(const Arguments& arguments, const CommonOptions& common) {
  EvaluateJob job;
  job.samples = arguments.required("samples");
  job.log_weights = arguments.text("weights");
  job.reference = arguments.required("reference");
  job.structure = arguments.text("structure");
  job.backend = common.backend;
  job.options.points = static_cast<std::size_t>(arguments.integer("points", 2));
  job.options.seed = common.seed;
  job.options.tica.lag = static_cast<std::size_t>(arguments.integer("tica-lag", 0));
  const EvaluateOutcome outcome = run_evaluate_job(job);
  return pictures_of(outcome.samples, outcome.evaluation, outcome.reference);
}

void print_list(const std::vector<Picture>& pictures, bool as_json) {
  Json list = Json::list();
  metrics::Table table({"picture", "residue", "title"},
                       {metrics::Align::left, metrics::Align::left, metrics::Align::left});
  for (const Picture& picture : pictures) {
    table.add_row({picture.name, picture.residue, picture.title()});
    Json one = Json::object();
    one["picture"] = picture.name;
    one["residue"] = picture.residue;
    one["title"] = picture.title();
    list.push_back(std::move(one));
  }
  Json out = Json::object();
  out["pictures"] = std::move(list);
  std::fputs(as_json ? (out.dump() + "\n").c_str() : table.text().c_str(), stdout);
}

}  // namespace

int plot_command(const Words& words) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  const std::string& name = arguments.positional();
  require(arguments.flag("list") == name.empty(),
          "give a PICTURE, or --list to see which there are; see arbg plot --help");
  const std::filesystem::path output = arguments.text("output");
  require(output.empty() || !name.empty(), "leave --output out: a list is printed");
  require(!common.json || name.empty() || !output.empty(),
          "with --json a picture goes to a file: give --output FILE");
  if (!output.empty())
    require_writable(output, {arguments.text("samples"), arguments.text("reference")});
  const auto pictures = pictures_from(arguments, common);
  if (name.empty()) return print_list(pictures, common.json), 0;

  const Picture& picture = find_picture(pictures, name, arguments.text("residue"));
  const std::string svg = metrics::svg_file(
      std::visit([](const auto& figure) { return metrics::to_svg(figure); }, picture.figure));
  if (output.empty()) return std::fputs(svg.c_str(), stdout), 0;
  write_file(output, svg);
  Json out = Json::object();
  out["output"] = output.string();
  out["title"] = picture.title();
  if (common.json)
    std::puts(out.dump().c_str());
  else
    std::printf("%s: %s\n", picture.title().c_str(), output.c_str());
  return 0;
}

}  // namespace arbg::apps
