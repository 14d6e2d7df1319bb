// Training a generator on a data set: what `arbg train` and `arbg demo` share.
//
// The output folder holds checkpoint.safetensors (weights, optimiser, everything to resume and to
// sample), best.safetensors (the model of the best held-out evaluation, where evaluations are
// wanted), train_log.jsonl (one JSON object a line) and report.html. Killed at any moment, a run
// goes on from its last checkpoint, bit for bit if its steps are counted (nn/training/trainer.h);
// it throws Error, saying what differs, if it is asked to go on with other data or options.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "apps/cli/trainer_options.h"
#include "apps/runs/dataset.h"
#include "apps/runs/run_folder.h"
#include "md/coordinates/coordinate_map.h"
#include "nn/heads/within_bins.h"
#include "nn/training/trainer.h"
#include "tensor/gemm/precision.h"

namespace arbg::apps {

// Learned positions and our extensions: a start row, biases of the output, features of the bins.
nn::TransformerConfig own_network();

// How much a network is told of placement energies (nn/transformer/placement.h): none, logits, or
// full, with features of the curves. Throws Error for another name. What is recommended for
// coordinates of that kind.
std::optional<nn::PlacementConfig> placement_named(const std::string& name);
const char* recommended_placement(const std::string& coordinates);

struct TrainJob {
  std::filesystem::path output;
  std::string coordinates = "internal";  // or "cartesian"
  double range = 3.0;      // Cartesian: bins cover +-range standard deviations of the data
  double scale_nm = 0.35;  // of many molecules, instead of the standard deviation
  nn::TransformerConfig network = own_network();  // all but what depends on the molecule
  std::string placement;  // placement_named(); empty: recommended, or as the run has begun
  std::optional<nn::WithinBins> within_bins;  // to draw with; nothing: sloped, or as the run began
  NamedByUser named;
  double held_out = 0.05;  // fraction of the frames, the last ones, at most 4096
  bool drop_outside = false;
  bool resume = false;
  double checkpoint_every_s = 60;
  nn::Backend backend = nn::Backend::cpu;
  nn::TrainerOptions trainer;
};

struct HeldOut {
  std::string molecule;
  std::int64_t atoms = 0, frames = 0;
  double nats = 0;  // as TrainOutcome::held_out_nats; NaN without frames
};

struct TrainOutcome {
  std::filesystem::path checkpoint;
  nn::TrainerOptions trainer;     // as the run has begun, where the job did not name them
  bool complete = false;          // false: interrupted, resume to go on
  std::int64_t steps_before = 0;  // done by earlier calls, of `steps`
  std::int64_t steps = 0, parameters = 0, frames = 0, held_out_frames = 0;
  bool stopped_early = false;  // then complete too
  double seconds = 0, samples_per_second = 0, gflop_per_second = 0;
  double train_nats = 0, held_out_nats = 0;  // -log P per coordinate: of bins, no widths
  std::vector<HeldOut> held_out_molecules;   // of training on many
  std::int64_t best_step = 0;                // of the best evaluation; 0: there was none
  double best_nats = 0;
};

// Settings that were tuned for coordinates of that kind, on that backend: network size, learning
// rate, averaging, variance term, parts of a batch.
void set_recommended(TrainJob& job);

// The precision of products that training had best be in: as the run in job.output began, and of a
// new one bf16 on a cpu with AMX (tensor/gemm/tiles_bf16.h), which trains as well in less time.
tensor::ProductPrecision recommended_products(const TrainJob& job);

// Sizes by name: demo (those recommended), or base, medium and large as published, with the
// published learning rate. Throws Error for another name.
void set_network(TrainJob& job, const std::string& name);

TrainOutcome run_train_job(const TrainJob& job, const Dataset& data, const RunFolder& output);

}  // namespace arbg::apps
