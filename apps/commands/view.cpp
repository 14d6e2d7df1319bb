// arbg view: a molecule to turn, in one page.
#include <cstdio>

#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/commands/commands.h"
#include "apps/pages/view_page.h"
#include "md/files/pdb.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"

namespace arbg::apps {
namespace {

const CommandSpec kSpec{
    "view",
    "a molecule to turn: conformations of a run, samples as they grow; write view.html",
    "RUN",
    {{"output", "FILE", "",
      "the page to write (default: view.html in RUN, or beside a PDB file with its name)"},
     {"count", "N", "300",
      "conformations: so many draws by weight, or evenly spaced frames; 138 atoms need 1.1 kB "
      "each"},
     {"model", "FILE", "", "checkpoint.safetensors (default: the one that RUN names)"},
     {"rollouts", "N", "",
      "samples to show coordinate by coordinate, the heaviest first (default: 3, where there is a "
      "model)"},
     {"reference", "FILE", "",
      "PDB file of the molecule, to lay conformations over (default: that of the lowest energy)"}},
    {"arbg view runs/demo-internal",
     "arbg view runs/ala2-samples --model runs/ala2/checkpoint.safetensors --rollouts 5",
     "arbg view ala2.pdb --output ala2.html"}};

std::filesystem::path output_of(const Arguments& arguments, const std::filesystem::path& input) {
  if (arguments.given("output")) return arguments.required("output");
  if (std::filesystem::is_directory(input)) return input / "view.html";
  return std::filesystem::path(input).replace_extension(".html");
}

}  // namespace

int view_command(const Words& words) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  ViewJob job;
  job.input = arguments.positional();
  require(!job.input.empty(),
          "give a RUN made by arbg sample, md, demo, refine or train, or a PDB file; see arbg view "
          "--help");
  job.model = arguments.text("model");
  job.reference = arguments.text("reference");
  job.count = arguments.integer("count", 1);
  if (arguments.given("rollouts")) job.roll_outs = arguments.integer("rollouts", 0);
  job.seed = common.seed;
  job.backend = common.backend;
  const auto output = output_of(arguments, job.input);
  require_writable(output, {job.input, job.model, job.reference});

  const View view = make_view(job);
  write_view_page(output, view);
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(output));
  if (common.json) {
    Json out = Json::object();
    out["output"] = output.string();
    out["conformations"] = view.frames.count();
    out["of"] = view.of;
    out["atoms"] = view.topology.atom_count();
    out["rollouts"] = std::ssize(view.roll_outs);
    out["bytes"] = bytes;
    std::puts(out.dump().c_str());
    return 0;
  }
  for (const auto& note : view.notes) std::printf("%s\n", note.c_str());
  std::printf("%lld of %lld conformations and %lld roll-outs, %.2g MB: %s\n",
              static_cast<long long>(view.frames.count()), static_cast<long long>(view.of),
              static_cast<long long>(view.roll_outs.size()), static_cast<double>(bytes) * 1e-6,
              output.c_str());
  return 0;
}

}  // namespace arbg::apps
