// Drawing weighted samples from a checkpoint: what `arbg sample` and `arbg demo` share. The output
// folder: samples_run.h.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "apps/runs/model_file.h"
#include "apps/runs/run_folder.h"
#include "apps/runs/samples_run.h"
#include "metrics/weights/weights.h"
#include "sampling/proposals/mirrored.h"

namespace arbg::apps {

struct SampleJob {
  std::filesystem::path model, output;
  std::int64_t count = 20000;
  sampling::Decoding decoding;
  bool tune_temperature = false;  // then the decoding's is chosen, by other samples
  sampling::Mirror mirror = sampling::Mirror::none;
  bool published_weights = false;  // Cartesian: without the centre-of-mass factor, inconsistent
  std::uint64_t seed = 1;
  bool averaged = true;
  nn::Backend backend = nn::Backend::cpu;
};

// What makes the job's weights inconsistent, one sentence each; empty if nothing does.
std::vector<std::string> labels(const SampleJob& job);

// Samples, energies and weights, written to job.output. The ranks of `output` share the samples,
// and the first alone has them at the end.
SamplesRun run_sample_job(const SampleJob& job, const Model& model, const RunFolder& output);

// What run.json says of the draws of any such job, and the molecule: figures and arrays, of which
// tokens are the cells of the coordinates z [B, K], are the caller's to fill in.
SamplesRun begin_samples(const SampleJob& job, const Model& model,
                         std::span<const double> coordinates);

// log Z with its error where there is one: a single sample or population gives none.
std::string log_z_text(const metrics::WeightSummary& summary, const char* plus_minus = " +- ",
                       int digits = 7);

}  // namespace arbg::apps
