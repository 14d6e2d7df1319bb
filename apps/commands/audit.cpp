// arbg audit: check a model, its force field and its samples; write audit.html.
#include <cstdio>

#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/commands/commands.h"
#include "apps/jobs/audit_job.h"
#include "apps/pages/audit_page.h"
#include "tensor/base/error.h"
#include "tensor/base/folder_lock.h"

namespace arbg::apps {
namespace {

const CommandSpec kSpec{
    "audit",
    "recompute probabilities, energies and weights by independent code; write audit.html",
    "RUN",
    {{"model", "FILE", "", "checkpoint.safetensors (default: the one that RUN names)"},
     {"samples", "FOLDER", "", "made by arbg sample, instead of RUN"},
     {"reference", "FOLDER", "", "made by arbg md (default: the one of a demo)"},
     {"fresh", "N", "1000", "samples drawn anew to check the sampler itself"},
     {"close", "N", "4000", "stored samples and reference frames whose log q is recomputed"},
     {"output", "FOLDER", "", "where audit.html and audit.json go (default: RUN)"}},
    {"arbg audit runs/demo-internal", "arbg audit runs/ala2-samples --reference runs/ala2-md",
     "arbg audit --model runs/ala2/checkpoint.safetensors --output runs/ala2"}};

AuditJob job_from(const Arguments& arguments) {
  const std::string run =
      arguments.given("samples") ? arguments.required("samples") : arguments.positional();
  require(arguments.positional().empty() || !arguments.given("samples"),
          "give RUN or --samples FOLDER, not both");
  require(!run.empty() || arguments.given("model"),
          "give a RUN made by arbg sample or arbg demo, or --model FILE; see arbg audit --help");
  AuditJob job;
  if (!run.empty()) job = audit_job_of(run);
  if (arguments.given("model")) job.model = arguments.required("model");
  if (arguments.given("reference")) job.reference = arguments.required("reference");
  job.fresh = arguments.integer("fresh", 3);
  job.close = arguments.integer("close", 20);
  return job;
}

}  // namespace

int audit_command(const Words& words) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  AuditJob job = job_from(arguments);
  job.seed = common.seed;
  job.backend = common.backend;
  std::filesystem::path output = arguments.positional();
  if (output.empty()) output = job.samples.empty() ? job.model.parent_path() : job.samples;
  if (arguments.given("output")) output = arguments.required("output");
  std::string command = "arbg audit";
  for (const auto& word : words) command += " " + word;

  const FolderLock lock(output, "arbg audit");  // beside whatever run is there
  const sampling::Audit audit = run_audit(job);
  write_audit(lock, audit, command);
  if (common.json)
    std::puts(to_json(audit).dump().c_str());
  else
    std::printf("%s\npage: %s\n", audit_text(audit).c_str(), (output / "audit.html").c_str());
  return audit.passed() ? 0 : 1;
}

}  // namespace arbg::apps
