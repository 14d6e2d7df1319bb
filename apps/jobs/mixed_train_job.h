// Training one generator on many molecules: `arbg train --mix`.
//
// Cartesian coordinates with one scale, and a network conditioned on the atoms of each molecule, as
// published: their vectors are added to the input, and one attention looks at them; sinusoidal
// positions. It has as many positions as the largest molecule. Folder, resuming and errors are
// those of train_job.h.
#pragma once

#include "apps/jobs/train_job.h"
#include "sampling/training/mixed_data.h"

namespace arbg::apps {

// What differs from training on one molecule; call before options of the user's.
void set_mixed(TrainJob& job);

TrainOutcome run_mixed_train_job(const TrainJob& job, const std::filesystem::path& mixture_file,
                                 const RunFolder& output);

}  // namespace arbg::apps
