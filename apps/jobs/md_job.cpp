#include "apps/jobs/md_job.h"

#include <cstdio>

#include "apps/cli/progress.h"
#include "apps/runs/md_run.h"
#include "apps/runs/results_json.h"
#include "md/dynamics/builder.h"
#include "md/dynamics/simulation_file.h"
#include "md/dynamics/temperature_ladder.h"
#include "md/forcefields/forcefield.h"

namespace arbg::apps {

void set_published(md::SimulationOptions& options) {
  const bool amber14 = options.forcefield == "amber14-obc1";
  options.temperature_kelvin = amber14 ? 310 : 300;
  options.friction_per_ps = amber14 ? 0.3 : 1;
}

MdOutcome run_md_job(const MdJob& job, const RunFolder& output) {
  auto options = job.options;
  options.before_writing = [&] { output.require_ours(); };
  const auto topology =
      job.start ? job.start->topology : md::Topology::from_sequence(options.sequence);
  const auto system = md::ForceField::named(options.forcefield).create_system(topology);
  const auto start = job.start ? job.start->positions_nm : md::build_structure(topology, system);

  if (job.turn_interval)
    options.turn_interval = *job.turn_interval;
  else if (std::filesystem::exists(job.output / "run.json"))
    options.turn_interval = md::read_simulation_file(job.output).options.turn_interval;
  else
    options.turn_interval = kTurnInterval;
  if (options.ladder == 0) {
    options.ladder = md::ladder_size(topology.atom_count(), options.temperature_kelvin,
                                     options.top_temperature_kelvin);
  }

  MdOutcome outcome;
  outcome.ladder_kelvin = md::temperature_ladder(options.temperature_kelvin,
                                                 options.top_temperature_kelvin, options.ladder);
  Progress progress("md");
  std::int64_t first = -1, last = -1;
  const double ns_per_step = options.timestep_ps * 1e-3 * options.replicas * options.ladder;
  outcome.result = md::run_simulation(
      job.output, topology, system, options, start,
      [&](std::int64_t done, std::int64_t total) {
        if (first < 0) first = done;
        last = done;
        char detail[96];
        std::snprintf(
            detail, sizeof detail, "step %lld/%lld  %.0f ns/day", static_cast<long long>(done),
            static_cast<long long>(total),
            static_cast<double>(done - first) * ns_per_step / progress.elapsed_s() * 86400);
        progress.update(static_cast<double>(done) / static_cast<double>(total), detail);
      },
      output.ranks());
  outcome.seconds = progress.elapsed_s();
  outcome.steps = last - first;
  outcome.ns_per_day = static_cast<double>(outcome.steps) * ns_per_step / outcome.seconds * 86400;
  if (outcome.result.finished && output.ranks().is_first()) {
    outcome.convergence = convergence_of_run(job.output);
    auto run = md::read_simulation_file(job.output);
    run.convergence = to_json(outcome.convergence);
    output.require_ours();
    md::write_simulation_file(job.output, run);
  }
  return outcome;
}

}  // namespace arbg::apps
