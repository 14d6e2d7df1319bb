// A model that improves itself by its own samples and Markov moves at the target: `arbg refine`.
//
// Walkers (sampling/training/walker_pool.h) start as samples of the model, a checkpoint or, without any
// data, the marginals of the force field (sampling/proposals/bonded_marginals.h), and warm up by local moves.
// Each round draws fresh samples from the weight average, weights them by their exact log q and
// energies, proposes them to the walkers, moves the walkers, and trains some steps on them, by
// likelihood and log variance (nn/training/trainer.h). The raw weights of a round's samples, of which
// nothing has been trained on, are its estimates. Every energy is counted, with gradient or
// without, but those that resuming evaluates again and those of the final samples.
//
// The output folder: topology.pdb, checkpoint.safetensors, rounds.jsonl (one JSON object a round),
// walkers-R.npy (coordinates [W, K] after R rounds), report.html; before the first round
// warm-up.safetensors (walkers and settings) instead. Killed or interrupted at any moment, the same
// call goes on from the last complete round, or the last moves of the warm-up, bit for bit. Throws
// Error if the folder is of another run.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "apps/runs/sample_job.h"
#include "nn/training/trainer.h"

namespace arbg::apps {

struct RefineJob {
  std::filesystem::path output, model;  // model may be empty: start from the force field
  std::string sequence = "Ace-A-Nme", forcefield = "amber99sbildn-obc2";
  double temperature_kelvin = 300;
  std::int64_t walkers = 8192;
  std::int64_t warm_up = 200;  // local moves of each walker before the first round
  std::int64_t rounds = 50;
  std::int64_t samples = 4096;  // fresh ones in a round
  std::int64_t moves = 16;      // local moves of each walker in a round
  std::int64_t steps = 128;     // of training in a round
  double until = 1;             // mean effective share of five rounds at which to stop
  std::int64_t patience = 15;   // stop after so many rounds without a better mean; 0: never
  double sampling_temperature = 1.03;
  std::int64_t final_samples = 20000;
  nn::Backend backend = nn::Backend::cpu;
  nn::TrainerOptions trainer;

  RefineJob();  // what is recommended, for a start without data
};

struct RefineRound {
  std::int64_t round = 0, energies = 0;  // evaluated so far
  double moved = 0, exchanged = 0;       // shares of local moves and of proposals accepted
  metrics::WeightSummary weights;        // raw, of fresh samples
  double nats = 0, variance = 0;         // mean over the round's steps
  double seconds = 0;                    // so far
};

struct RefineOutcome {
  std::filesystem::path checkpoint;
  bool complete = false;  // false: interrupted
  std::int64_t rounds = 0, energies = 0, parameters = 0;
  double seconds = 0;              // of all calls
  metrics::WeightSummary weights;  // of the final fresh samples, once complete
  std::vector<RefineRound> history;
};

// Whether to stop after rounds of these effective shares: the mean of the last five has reached
// `until`, or the best mean of five is `patience` rounds old. One large weight can
// halve a round's share, so that no single round is trusted.
bool enough_rounds(std::span<const double> ess_fractions, double until, std::int64_t patience);

RefineOutcome run_refine_job(const RefineJob& job);

// The page: effective samples and log Z by energies evaluated.
void write_refine_page(const std::filesystem::path& path, const RefineJob& job,
                       const RefineOutcome& outcome, const std::string& command);

}  // namespace arbg::apps
