// Drawing weighted samples from a checkpoint: what `arbg sample` and `arbg demo` share.
//
// The output folder: topology.pdb, positions.npy [B, N, 3] nm (float64), tokens.npy [B, K],
// log_q.npy, energy.npy (u in kT), log_weight.npy, run.json.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/runs/model_file.h"
#include "metrics/weights.h"
#include "sampling/evaluation/ensembles.h"
#include "sampling/proposals/mirrored.h"
#include "sampling/proposals/tuning.h"

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

struct WeightedSamples {
  std::vector<double> positions_nm, reduced_energy, log_q, log_weight;
  sampling::Decoding decoding;  // that they were drawn with
  std::optional<sampling::TemperatureTuning> tuning;
  std::int64_t reflected = 0;    // mirror images that were turned
  std::int64_t populations = 0;  // of sequential Monte Carlo, one after the other; 0: independent
  double seconds = 0;

  std::int64_t count() const { return static_cast<std::int64_t>(log_q.size()); }
  sampling::WeightedEnsemble ensemble() const {
    return {positions_nm, reduced_energy, log_weight, populations, decoding};
  }
};

// Samples, energies and weights, written to job.output.
WeightedSamples run_sample_job(const SampleJob& job, const Model& model);

// The parts of such a job: removes run.json and what only some samples have; writes the arrays
// (tokens.npy: the cells of the coordinates z [B, K]), and
// run.json last, with `figures` among its members: a folder with a run.json is complete.
void clear_samples_folder(const std::filesystem::path& output);
void write_samples(const SampleJob& job, const Model& model, std::span<const double> coordinates,
                   const WeightedSamples& samples, const Json& figures);

// `populations` is left to run.json.
WeightedSamples load_samples(const std::filesystem::path& folder, int atoms);

// log Z with its error where there is one: a single sample or population gives none.
std::string log_z_text(const metrics::WeightSummary& summary, const char* plus_minus = " +- ",
                       int digits = 7);

}  // namespace arbg::apps
