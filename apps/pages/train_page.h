// The page of a training run: likelihood of training batches and held-out frames, the gradient,
// and every option.
#pragma once

#include <filesystem>
#include <vector>

#include "apps/jobs/train_job.h"

namespace arbg::apps {

// A running mean, 9/10 of the one before and 1/10 of the value: curves of batches are noisy.
std::vector<double> smoothed(std::vector<double> values);

// Reads train_log.jsonl of job.output; the rest is in `outcome`. Throws Error naming a path that
// cannot be read or written.
void write_train_page(const std::filesystem::path& path, const TrainJob& job,
                      const TrainOutcome& outcome);

}  // namespace arbg::apps
