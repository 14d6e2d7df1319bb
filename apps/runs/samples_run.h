// A run of samples as its folder holds it.
//
// topology.pdb, positions.npy [B, N, 3] nm (float64), tokens.npy [B, K] (the cells of the
// coordinates), log_q.npy, energy.npy (u in kT), log_weight.npy, of sequential Monte Carlo
// ancestor.npy, and run.json, which is written last: a folder with it is complete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/runs/run_folder.h"
#include "apps/runs/smc_run.h"
#include "md/molecule/topology.h"
#include "metrics/weights/weights.h"
#include "sampling/evaluation/ensembles.h"
#include "sampling/proposals/tuning.h"

namespace arbg::apps {

// run.json: how samples were drawn, and the figures of their weights.
struct SamplesFile {
  std::filesystem::path model;
  std::string forcefield, coordinates;
  double temperature_kelvin = 0;
  bool averaged = true;  // drawn with the weight average of training
  sampling::Decoding decoding;
  nn::WithinBins within_bins = nn::WithinBins::uniform;
  std::vector<std::string> labels;   // what makes the weights inconsistent, or figures too good
  std::string products = "float32";  // of the network that drew them (computed_by.h)
  std::uint64_t seed = 1;
  std::int64_t samples = 0;
  double seconds = 0;
  std::optional<sampling::TemperatureTuning> tuning;
  std::optional<std::int64_t> reflected;  // mirror images that were turned, if they were to be
  bool published_weights = false;
  std::optional<metrics::WeightSummary> weights;  // of independent samples
  std::optional<SmcRun> smc;                      // of others
  // Of others (given_samples.h), and not in run.json:
  sampling::WeightKind weight_kind = sampling::WeightKind::absolute;
  std::int64_t replicas = 1;
  // Energies that the first n samples took: warm_up_energies + n energies_a_sample.
  std::int64_t warm_up_energies = 0, energies_a_sample = 1;
};

struct SamplesRun {
  SamplesFile file;
  md::Topology topology;
  std::string topology_pdb;
  std::vector<double> positions_nm, reduced_energy, log_q, log_weight;
  std::vector<std::int32_t> tokens;    // [B, K]; empty if the folder has none, or not wanted
  std::vector<std::int32_t> ancestor;  // [B] of sequential Monte Carlo

  std::int64_t count() const { return std::ssize(log_weight); }
  std::int64_t populations() const { return file.smc ? file.smc->populations : 0; }
  sampling::WeightedEnsemble ensemble() const {
    const bool independent = !file.smc || file.smc->independent();
    return {positions_nm,  reduced_energy,   log_weight,   independent ? 0 : populations(),
            file.decoding, file.weight_kind, file.replicas};
  }
};

// Whether a run.json is of samples.
bool is_of_samples(const Json& run);

// Both throw Error naming the file, and what it lacks, does not fit, or is NaN.
SamplesFile read_samples_file(const std::filesystem::path& folder);
enum class Tokens { read, leave };  // the largest array but the positions
SamplesRun read_samples(const std::filesystem::path& folder, Tokens tokens = Tokens::read);

// Replaces whatever samples are there, and the results that were made from them; if that fails,
// these stay.
void write_samples(const RunFolder& folder, const SamplesRun& run);

}  // namespace arbg::apps
