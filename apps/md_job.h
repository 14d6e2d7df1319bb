// Molecular dynamics into a run folder: what `arbg md` and `arbg demo` share.
#pragma once

#include <filesystem>
#include <optional>

#include "md/pdb.h"
#include "md/simulation.h"

namespace arbg::apps {

struct MdJob {
  std::filesystem::path output;
  std::optional<md::Pdb> start;  // otherwise built from options.sequence
  md::SimulationOptions options;
};

struct MdOutcome {
  md::SimulationResult result;
  std::int64_t steps = 0;  // done by this call, of every replica
  double seconds = 0;
  double ns_per_day = 0;  // aggregated over replicas and temperatures, of this call
};

MdOutcome run_md_job(const MdJob& job);

}  // namespace arbg::apps
