#include "apps/md_job.h"

#include <cstdio>

#include "apps/progress.h"
#include "md/coordinate_map.h"
#include "md/forcefield.h"

namespace arbg::apps {

MdOutcome run_md_job(const MdJob& job) {
  const auto& options = job.options;
  const auto topology =
      job.start ? job.start->topology : md::Topology::from_sequence(options.sequence);
  const auto system = md::ForceField::named(options.forcefield).create_system(topology);
  auto start = job.start ? job.start->positions_nm : md::ideal_geometry(topology, system);
  start.resize(3 * topology.atoms.size());  // the first model

  MdOutcome outcome;
  Progress progress("md");
  std::int64_t first = -1, last = -1;
  const double ns_per_step = options.timestep_ps * 1e-3 * options.replicas * options.ladder;
  outcome.result = md::run_simulation(
      job.output, topology, system, options, start, [&](std::int64_t done, std::int64_t total) {
        if (first < 0) first = done;
        last = done;
        char detail[96];
        std::snprintf(
            detail, sizeof detail, "step %lld/%lld  %.0f ns/day", static_cast<long long>(done),
            static_cast<long long>(total),
            static_cast<double>(done - first) * ns_per_step / progress.elapsed_s() * 86400);
        progress.update(static_cast<double>(done) / static_cast<double>(total), detail);
      });
  outcome.seconds = progress.elapsed_s();
  outcome.steps = last - first;
  outcome.ns_per_day = static_cast<double>(outcome.steps) * ns_per_step / outcome.seconds * 86400;
  return outcome;
}

}  // namespace arbg::apps
