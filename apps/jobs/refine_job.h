// The work of `arbg refine`: a checkpoint or, without any data, the marginals of the force field
// (sampling/proposals/bonded_marginals.h), improved by sampling/training/refinement.h.
//
// The output folder is that of refine_folder.h. Killed or interrupted at any moment, the same call
// goes on from the last complete round, or the last moves of the warm-up, bit for bit. Throws Error
// if the folder is of another run.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/cli/trainer_options.h"
#include "apps/runs/run_folder.h"
#include "sampling/training/refinement.h"

namespace arbg::apps {

struct RefineJob {
  std::filesystem::path output, model;  // model may be empty: start from the force field
  std::string sequence = "Ace-A-Nme", forcefield = "amber99sbildn-obc2";
  double temperature_kelvin = 300;
  std::string placement;  // of a start without data, placement_named(); empty: full, or as the run
                          // in the folder has begun
  std::optional<nn::WithinBins> within_bins;  // nothing: sloped, or as the run has begun
  NamedByUser named;
  sampling::RefinementOptions options;
  std::int64_t final_samples = 20000;
  nn::Backend backend;

  // What is recommended, for a start without data.
  explicit RefineJob(nn::Backend on = nn::Backend::cpu);
};

struct RefineOutcome {
  std::filesystem::path checkpoint;
  nn::TrainerOptions trainer;  // as the run has begun, where the job did not name them
  bool complete = false;       // false: interrupted
  std::int64_t rounds = 0, energies = 0, parameters = 0;
  double seconds = 0;              // of all calls
  metrics::WeightSummary weights;  // of the final fresh samples, once complete
  std::vector<sampling::RefinementRound> history;
};

RefineOutcome run_refine_job(const RefineJob& job, const RunFolder& output);

}  // namespace arbg::apps
