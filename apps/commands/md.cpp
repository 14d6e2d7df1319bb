// arbg md: molecular dynamics of a peptide, the reference conformations.
#include <algorithm>
#include <cstdio>

#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/commands/commands.h"
#include "apps/jobs/md_job.h"
#include "apps/pages/md_page.h"
#include "apps/runs/dataset.h"
#include "apps/runs/results_json.h"
#include "apps/runs/run_folder.h"
#include "md/dynamics/scramble.h"
#include "md/files/pdb.h"
#include "md/molecule/stereocentres.h"
#include "metrics/pages/table.h"
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
      "where topology.pdb, positions.npy, energy.npy, run.json and report.html go; continues the "
      "run that is there"},
     {"forcefield", "NAME", "amber99sbildn-obc2",
      "force field: amber99sbildn-obc2 or amber14-obc1"},
     {"temperature", "K", "", "temperature of the saved frames (default: 300; amber14-obc1: 310)"},
     {"steps", "N", "1000000", "steps of each replica after the warm-up"},
     {"warmup", "N", "50000", "steps discarded first, a fifth of them at the top temperature"},
     {"scramble", "", "",
      "replicas begin apart: before the warm-up each is heated to 1200 K for 30 ps, with hands, "
      "cis "
      "and trans held, and cooled for 20 ps"},
     {"replicas", "N", "24", "independent simulations, kept apart in the files"},
     {"save-every", "N", "100", "steps between saved frames"},
     {"tempering", "N", "auto",
      "temperatures in the ladder of every replica; auto: so many that 25 % of swaps or a little "
      "more are accepted; 1: plain dynamics"},
     {"top-temperature", "K", "600",
      "highest of the ladder, and of the first fifth of the warm-up"},
     {"swap-every", "N", "100", "steps between swaps of neighbouring temperatures"},
     {"turn-every", "N", std::to_string(kTurnInterval),
      "steps between tries to turn a peptide bond from trans to cis or back; 0: never (a run "
      "that is there keeps its own)"},
     {"timestep", "FS", "1", "time step in femtoseconds"},
     {"friction", "X", "", "friction in 1/ps (default: 1; amber14-obc1: 0.3)"},
     {"checkpoint-every", "N", "100",
      "saves between checkpoints; a crash loses no more than these"}},
    {"arbg md --sequence Ace-A-Nme --output runs/ala2-md --steps 1000000",
     "arbg md --sequence AAA --forcefield amber14-obc1 --output runs/reference --scramble --seed 2",
     "arbg md --sequence Ace-A-Nme --output runs/plain --tempering 1 --save-every 1000",
     "arbg md --sequence GYDPETGTWG --forcefield amber14-obc1 --output runs/chignolin"},
    {},
    false};

constexpr std::int64_t kMostReplicas = 100000, kMostTemperatures = 1000;

void print_convergence(const sampling::Convergence& convergence) {
  if (convergence.torsions.empty()) return;
  metrics::Table table({"torsion", "independent after (ps)", "effective frames"});
  auto slowest = convergence.torsions;
  std::ranges::stable_sort(slowest, {}, &sampling::TorsionConvergence::effective_frames);
  constexpr std::size_t kMostRows = 6;
  for (std::size_t k = 0; k < std::min(kMostRows, slowest.size()); ++k) {
    table.add_row({slowest[k].name, metrics::format_number(slowest[k].time_ps, 3),
                   metrics::format_number(slowest[k].effective_frames, 3) +
                       (slowest[k].reliable ? "" : " at most")});
  }
  std::printf("\n%s", table.text().c_str());
  if (slowest.size() > kMostRows)
    std::printf("and %zu faster torsions, in run.json\n", slowest.size() - kMostRows);
  if (convergence.floor_points > 0) {
    std::printf(
        "phi and psi of half of the replicas against the other half: T-W2 %s rad (%zu a side)\n",
        metrics::format_number(convergence.torsion_floor_rad, 3).c_str(), convergence.floor_points);
  }
  std::printf("%s\n", convergence.agreement.sentence().c_str());
}

MdJob job_from(const Arguments& arguments, const CommonOptions& common) {
  MdJob job;
  job.output = arguments.required("output");
  if (arguments.given("pdb")) {
    job.start = load_pdb(arguments.text("pdb"));
    job.start->positions_nm.resize(3 * job.start->topology.atoms.size());  // the first model
    require_conformations(job.start->positions_nm, job.start->topology.atom_count(),
                          arguments.text("pdb"));
    md::require_natural_hands(job.start->topology, job.start->positions_nm, arguments.text("pdb"));
  }
  auto& options = job.options;
  options.sequence = arguments.given("pdb") ? arguments.text("pdb") : arguments.text("sequence");
  options.forcefield = arguments.text("forcefield");
  set_published(options);
  if (arguments.given("temperature")) options.temperature_kelvin = arguments.number("temperature");
  if (arguments.given("friction")) options.friction_per_ps = arguments.number("friction");
  options.ladder = arguments.text("tempering") == "auto"
                       ? 0
                       : static_cast<int>(arguments.integer("tempering", 1, kMostTemperatures));
  options.top_temperature_kelvin = arguments.number("top-temperature");
  options.replicas = static_cast<int>(arguments.integer("replicas", 1, kMostReplicas));
  options.steps = arguments.integer("steps", 0);
  options.warmup_steps = arguments.integer("warmup", 0);
  options.save_interval = arguments.integer("save-every", 1);
  options.swap_interval = arguments.integer("swap-every", 1);
  if (arguments.given("turn-every")) job.turn_interval = arguments.integer("turn-every", 0);
  options.timestep_ps = arguments.number("timestep") / 1000;
  options.checkpoint_interval = arguments.integer("checkpoint-every", 1);
  if (arguments.flag("scramble")) options.scramble_steps = md::scramble_steps(options.timestep_ps);
  options.seed = common.seed;
  options.backend = common.backend;
  return job;
}

void print_json(const MdJob& job, const MdOutcome& outcome) {
  Json out = Json::object();
  out["folder"] = job.output.string();
  out["frames"] = outcome.result.frames;
  out["complete"] = outcome.result.finished;
  out["seconds"] = outcome.seconds;
  out["ns_per_day"] = outcome.ns_per_day;
  out["ladder_kelvin"] = list_of(outcome.ladder_kelvin);
  out["swap_acceptance"] = list_of(outcome.result.swap_acceptance);
  if (outcome.result.turn_acceptance) out["turn_acceptance"] = *outcome.result.turn_acceptance;
  out["convergence"] = to_json(outcome.convergence);
  std::puts(out.dump().c_str());
}

void print_text(const MdJob& job, const MdOutcome& outcome) {
  if (outcome.steps == 0) {
    std::printf("%s already holds these %lld frames; more --steps would lengthen the run\n",
                job.output.c_str(), static_cast<long long>(outcome.result.frames));
  } else {
    std::printf(
        "%lld frames of %d replicas in %s (%s ns/day, all replicas and temperatures together), "
        "written to %s\n",
        static_cast<long long>(outcome.result.frames), job.options.replicas,
        format_duration(outcome.seconds).c_str(),
        metrics::format_number(outcome.ns_per_day, 3).c_str(), job.output.c_str());
    for (std::size_t i = 0; i < outcome.result.swap_acceptance.size(); ++i) {
      std::printf("swaps between %.0f K and %.0f K: %.0f %% accepted\n", outcome.ladder_kelvin[i],
                  outcome.ladder_kelvin[i + 1], 100 * outcome.result.swap_acceptance[i]);
    }
    if (outcome.result.turn_acceptance)
      std::printf("turns of peptide bonds between trans and cis: %s %% accepted\n",
                  metrics::format_number(100 * *outcome.result.turn_acceptance, 2).c_str());
    print_convergence(outcome.convergence);
    if (outcome.result.finished) std::printf("report: %s\n", (job.output / "report.html").c_str());
  }
}

}  // namespace

int md_command(const Words& words, const Ranks& ranks) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  const MdJob job = job_from(arguments, common);
  const RunFolder output(job.output, RunKind::md, {}, ranks);
  const MdOutcome outcome = run_md_job(job, output);
  output.require_ours();
  if (outcome.result.finished && ranks.is_first())
    write_md_page(job.output / "report.html", job, outcome);
  (common.json ? print_json : print_text)(job, outcome);
  if (outcome.result.finished) return 0;
  std::fprintf(stderr, "interrupted; everything is saved: run the same command to go on\n");
  return 130;
}

}  // namespace arbg::apps
