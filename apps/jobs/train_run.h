// What every run of `arbg train` does, whatever its data: it goes on only from itself, and trains
// with log and progress line.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "apps/jobs/train_job.h"
#include "nn/files/checkpoint.h"

namespace arbg::apps {

// The checkpoint in job.output, if there is one. Throws Error if there is and job.resume is not
// set, or if it holds no training state.
std::optional<nn::Checkpoint> saved_run(const TrainJob& job);

// What the user did not name becomes as the run began: how bins are filled when the model is drawn
// from, and what keep_unnamed() takes. In a new run bins have slopes.
void settle_unnamed(TrainJob& job, const std::optional<nn::Checkpoint>& saved);

// A run goes on bit for bit or not at all: throws Error naming every member of the data's
// description, the network and the options that differs from the checkpoint's.
void require_same_run(const nn::Checkpoint& saved, const TrainJob& job, const Json& description,
                      const nn::TransformerConfig& config);

// Trains to the end or an interrupt, saving in job.output, the log too; fills in what that
// tells. `evaluate`: held-out nats per coordinate of a network, NaN if nothing is held out.
void train_with_log(nn::Trainer& trainer, const TrainJob& job, const nn::CoordinateBins& bins,
                    const Json& description,
                    const std::function<double(const nn::Transformer&)>& evaluate,
                    const RunFolder& output, TrainOutcome& outcome);

}  // namespace arbg::apps
