// A run of sequential Monte Carlo as run.json and log_z.json hold it.
#pragma once

#include <cstdint>
#include <vector>

#include "metrics/weights/weights.h"
#include "sampling/smc/population.h"
#include "tensor/base/json.h"

namespace arbg::apps {

struct SmcOutcome {
  // Of all particles; the error of log Z from the populations, or from the weights where nothing is
  // resampled.
  metrics::WeightSummary weights;
  double ancestors = 0;  // mean share of first particles that have descendants at the end
  std::vector<sampling::SmcStage> stages;  // means over populations, but for `resampled`
  std::vector<double> resampled;           // the populations that were, a share, one a stage
  std::vector<double> log_z;               // one a population
  std::int64_t energies = 0, partial_energies = 0, densities = 0;  // with the pilot's
  double seconds = 0;
};

struct SmcRun {
  bool annealed = false;
  std::int64_t populations = 0;
  double ess_threshold = 0;
  sampling::Resampling resampling = sampling::Resampling::systematic;
  double lambda = 0;                  // twisted
  double conditional_ess = 0.9;       // annealed, as the following
  std::int64_t moves = 0;             // a rung
  std::int64_t leapfrog_steps = 1;    // a move
  std::vector<double> ladder, steps;  // of the rungs
  std::int64_t pilot_energies = 0;

  bool independent() const { return ess_threshold == 0; }  // as in SmcOptions

  SmcOutcome outcome;  // what JSON has of it: of `weights` log Z, its error and the share
};

Json to_json(const SmcOutcome& outcome);

// The members of a run.json that tell of such a run. Reading throws Error naming what is missing.
void add_members(Json& run, const SmcRun& smc);
SmcRun smc_run_of(const Json& run);

}  // namespace arbg::apps
