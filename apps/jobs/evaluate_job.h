// Samples judged against a reference: what `arbg evaluate` does with each of its samples.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/runs/dataset.h"
#include "apps/runs/samples_run.h"
#include "sampling/evaluation/evaluation.h"
#include "tensor/base/backend.h"

namespace arbg::apps {

struct EvaluateJob {
  std::filesystem::path samples;      // a folder of arbg sample, or as given_samples.h reads
  std::filesystem::path log_weights;  // of those; may be empty
  std::filesystem::path reference;
  std::filesystem::path model;  // that the samples are from; may be empty
  Backend backend = Backend::cpu;
  sampling::EvaluationOptions options;
};

struct EvaluateOutcome {
  SamplesRun samples;
  Dataset reference;  // its atoms in the order of the samples
  sampling::Evaluation evaluation;
  std::vector<std::string> labels;  // of the weights: what makes figures biased
};

// Whether these samples, which are there, are not a folder of arbg sample.
bool is_from_elsewhere(const std::filesystem::path& samples);

// Throws Error if samples, reference and model do not fit together: another molecule, force field
// or temperature, arrays that are cut, a model with samples that are not of its own density,
// weights where there can be none.
EvaluateOutcome run_evaluate_job(const EvaluateJob& job);

}  // namespace arbg::apps
