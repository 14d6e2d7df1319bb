// A run of dynamics as its folder holds it: topology.pdb, positions.npy, energy.npy, run.json.
#pragma once

#include <filesystem>

#include "sampling/evaluation/convergence.h"

namespace arbg::apps {

// Over at most 20,000 frames of a run that is complete, evenly spaced in time. Throws Error naming
// the file that is not as a run leaves it.
sampling::Convergence convergence_of_run(const std::filesystem::path& folder);

}  // namespace arbg::apps
