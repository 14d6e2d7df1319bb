// Molecular dynamics into a run folder: what `arbg md` and `arbg demo` share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "apps/runs/run_folder.h"
#include "md/dynamics/simulation.h"
#include "md/files/pdb.h"
#include "sampling/evaluation/convergence.h"

namespace arbg::apps {

// Steps between tries to turn peptide bonds, unless the user says otherwise.
inline constexpr std::int64_t kTurnInterval = 100;

struct MdJob {
  std::filesystem::path output;
  std::optional<md::Pdb> start;                    // otherwise built from options.sequence
  md::SimulationOptions options;                   // ladder 0: as many temperatures as swaps need
  std::optional<std::int64_t> turn_interval = {};  // nothing: kTurnInterval, or as the run began
};

struct MdOutcome {
  md::SimulationResult result;
  std::vector<double> ladder_kelvin;
  sampling::Convergence convergence;  // also in run.json; empty if the run was interrupted
  std::int64_t steps = 0;             // done by this call, of every replica
  double seconds = 0;
  double ns_per_day = 0;  // aggregated over replicas and temperatures, of this call
};

// Sets what the published runs used with a force field: 300 K and 1/ps, or, for amber14-obc1, 310 K
// and 0.3/ps.
void set_published(md::SimulationOptions& options);

MdOutcome run_md_job(const MdJob& job, const RunFolder& output);

}  // namespace arbg::apps
