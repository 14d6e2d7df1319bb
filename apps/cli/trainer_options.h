// The options of the trainer that `arbg train` and `arbg refine` share: --optimizer,
// --learning-rate, --variance-weight and --variance-weight-most.
#pragma once

#include "apps/cli/command_line.h"
#include "nn/training/trainer.h"

namespace arbg::apps {

// Whether the user named them. Otherwise a run that goes on keeps what it began with, whatever is
// recommended today.
struct NamedByUser {
  bool optimizer = false, variance_weight_most = false;
};

// Writes what the user gave into `trainer`. Throws Error for what makes no sense.
NamedByUser take_trainer_options(const Arguments& arguments, nn::TrainerOptions& trainer);

// Takes what was not named from `settings`, those of the run that goes on or what is recommended.
void keep_unnamed(const NamedByUser& named, const nn::TrainerOptions& settings,
                  nn::TrainerOptions& now);

}  // namespace arbg::apps
