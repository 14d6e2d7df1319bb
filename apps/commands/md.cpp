// arbg md: molecular dynamics of a peptide, the reference conformations.
#include <cstdio>

#include "apps/command_line.h"
#include "apps/commands/commands.h"
#include "apps/common_options.h"
#include "apps/md_job.h"
#include "md/pdb.h"
#include "metrics/table.h"
#include "tensor/base/json.h"

namespace arbg::apps {
namespace {

const CommandSpec kSpec{
    "md",
    "molecular dynamics of a peptide: reference conformations",
    "",
    {{"sequence", "TEXT", "Ace-A-Nme", "one-letter codes with optional caps"},
     {"pdb", "FILE", "", "start from this PDB instead of building the sequence"},
     {"output", "FOLDER", "",
      "where topology.pdb, positions.npy, energy.npy and run.json go; a run that is there goes on"},
     {"forcefield", "NAME", "amber99sbildn-obc2",
      "force field: amber99sbildn-obc2 or amber14-obc1"},
     {"temperature", "K", "300", "temperature of what is saved"},
     {"steps", "N", "1000000", "steps of each replica after the warm-up"},
     {"warmup", "N", "10000", "steps that are thrown away first"},
     {"replicas", "N", "24", "independent simulations, kept apart in the files"},
     {"save-every", "N", "100", "steps between saved frames"},
     {"tempering", "N", "4", "temperatures in the ladder of every replica; 1: plain dynamics"},
     {"top-temperature", "K", "600", "hottest temperature of the ladder"},
     {"swap-every", "N", "100", "steps between swaps of neighbouring temperatures"},
     {"timestep", "FS", "1", "time step in femtoseconds"},
     {"friction", "X", "1", "friction in 1/ps"},
     {"checkpoint-every", "N", "100", "saves between checkpoints: what a crash may lose"}},
    {"arbg md --sequence Ace-A-Nme --output runs/ala2-md --steps 1000000",
     "arbg md --sequence Ace-A-Nme --output runs/plain --tempering 1 --save-every 1000"},
    {"backend"}};

constexpr std::int64_t kMostReplicas = 100000, kMostTemperatures = 1000;

}  // namespace

int md_command(const Words& words) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  MdJob job;
  job.output = arguments.required("output");
  if (arguments.given("pdb")) job.start = md::read_pdb(arguments.text("pdb"));
  auto& options = job.options;
  options.sequence = arguments.given("pdb") ? arguments.text("pdb") : arguments.text("sequence");
  options.forcefield = arguments.text("forcefield");
  options.temperature_kelvin = arguments.number("temperature");
  options.ladder = static_cast<int>(arguments.integer("tempering", 1, kMostTemperatures));
  options.top_temperature_kelvin =
      options.ladder > 1 ? arguments.number("top-temperature") : options.temperature_kelvin;
  options.replicas = static_cast<int>(arguments.integer("replicas", 1, kMostReplicas));
  options.steps = arguments.integer("steps", 0);
  options.warmup_steps = arguments.integer("warmup", 0);
  options.save_interval = arguments.integer("save-every", 1);
  options.swap_interval = arguments.integer("swap-every", 1);
  options.timestep_ps = arguments.number("timestep") / 1000;
  options.friction_per_ps = arguments.number("friction");
  options.checkpoint_interval = arguments.integer("checkpoint-every", 1);
  options.seed = common.seed;

  const MdOutcome outcome = run_md_job(job);
  if (common.json) {
    Json out = Json::object();
    out["folder"] = job.output.string();
    out["frames"] = outcome.result.frames;
    out["complete"] = outcome.result.finished;
    out["seconds"] = outcome.seconds;
    out["ns_per_day"] = outcome.ns_per_day;
    out["swap_acceptance"] = Json(
        Json::List(outcome.result.swap_acceptance.begin(), outcome.result.swap_acceptance.end()));
    std::puts(out.dump().c_str());
  } else if (outcome.steps == 0) {
    std::printf("%s already holds these %lld frames; more --steps would lengthen the run\n",
                job.output.c_str(), static_cast<long long>(outcome.result.frames));
  } else {
    std::printf(
        "%lld frames of %d replicas in %s (%s ns/day, all replicas and temperatures together), "
        "written to %s\n",
        static_cast<long long>(outcome.result.frames), options.replicas,
        format_duration(outcome.seconds).c_str(),
        metrics::format_number(outcome.ns_per_day, 3).c_str(), job.output.c_str());
    for (std::size_t i = 0; i < outcome.result.swap_acceptance.size(); ++i) {
      std::printf("swaps between temperatures %zu and %zu: %.0f %% accepted\n", i + 1, i + 2,
                  100 * outcome.result.swap_acceptance[i]);
    }
  }
  if (outcome.result.finished) return 0;
  std::fprintf(stderr, "interrupted; everything is saved: run the same command to go on\n");
  return 130;
}

}  // namespace arbg::apps
