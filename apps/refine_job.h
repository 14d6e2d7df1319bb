// A model that improves itself by its own weighted samples: what `arbg refine` does.
//
// Each round draws samples from the weight average, weights them by their exact log q and energies,
// adds them to the replay buffer (sampling/replay.h), and trains some steps on it, by likelihood
// and log variance (nn/trainer.h). It starts from a checkpoint, or without any data from the
// marginals of the force field (sampling/bonded_marginals.h). The raw weights of a round's samples,
// of which nothing has been trained on, are its estimates.
//
// The output folder: topology.pdb, checkpoint.safetensors, rounds.jsonl (one JSON object a round),
// replay/ (the rounds in the buffer), report.html. Killed or interrupted at any moment, the same
// call goes on from the last complete round, bit for bit. Throws Error if the folder is of another
// run.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/sample_job.h"
#include "nn/trainer.h"

namespace arbg::apps {

struct RefineJob {
  std::filesystem::path output, model;  // model may be empty: start from the force field
  std::string sequence = "Ace-A-Nme", forcefield = "amber99sbildn-obc2";
  double temperature_kelvin = 300;
  std::int64_t rounds = 200;
  std::int64_t samples = 4096;  // drawn, and energies evaluated, in a round
  std::int64_t steps = 64;      // of training in a round
  std::int64_t buffer = 8;      // rounds
  double effective = 0.2;       // share of effective samples that smoothed weights leave
  double until = 1;             // mean effective share of the last five rounds at which to stop
  double sampling_temperature = 1.03;
  std::int64_t final_samples = 20000;
  nn::Backend backend = nn::Backend::cpu;
  nn::TrainerOptions trainer;

  RefineJob();  // what is recommended, for a start without data
};

struct RefineRound {
  std::int64_t round = 0, energies = 0;  // evaluated so far
  double exponent = 0;                   // of the smoothed weights
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

RefineOutcome run_refine_job(const RefineJob& job);

// The page: effective samples and log Z by energies evaluated.
void write_refine_page(const std::filesystem::path& path, const RefineJob& job,
                       const RefineOutcome& outcome, const std::string& command);

}  // namespace arbg::apps
