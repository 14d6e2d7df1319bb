#include "apps/jobs/mixed_train_job.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "apps/jobs/train_run.h"
#include "apps/runs/computed_by.h"
#include "tensor/base/error.h"

namespace arbg::apps {
namespace {

constexpr std::int64_t kMostHeldOut = 4096;  // of all molecules together, but one of each

nn::TransformerConfig make_config(const TrainJob& job, std::int64_t most_atoms) {
  nn::TransformerConfig config = job.network;
  config.set_cartesian(most_atoms);
  config.conditioning.emplace().hidden = config.channels;
  config.add_cond_to_input = config.global_cond = true;
  config.check();
  return config;
}

// For Checkpoint::description; "molecules" tells that the model is of many.
Json describe(const sampling::MixedData& data) {
  Json description = Json::object(), molecules = Json::list();
  for (const auto& molecule : data.molecules()) {
    Json entry = Json::object();
    entry["name"] = molecule.name;
    entry["atoms"] = molecule.encoding.atom_count();
    entry["frames"] = molecule.train;
    entry["weight"] = molecule.weight;
    molecules.push_back(std::move(entry));
  }
  description["molecules"] = std::move(molecules);
  description["coordinate_map"] = data.map(data.most_atoms()).to_json();
  return description;
}

// Of all held-out coordinates together; notes every molecule's in `outcome`.
double evaluate_held_out(TrainOutcome& outcome, const nn::Transformer& network,
                         const sampling::MixedData& data) {
  outcome.held_out_frames = 0;
  outcome.held_out_molecules.clear();
  const auto share = std::max<std::int64_t>(1, kMostHeldOut / std::ssize(data.molecules()));
  double nats = 0, coordinates = 0;
  for (const auto& molecule : data.molecules()) {
    const auto z = data.held_out_coordinates(molecule, share);
    const auto K = 3 * molecule.encoding.atom_count(), frames = std::ssize(z) / K;
    HeldOut row{molecule.name, molecule.encoding.atom_count(), frames, std::nan("")};
    if (frames > 0) {
      const std::vector<const sampling::MoleculeEncoding*> told(static_cast<std::size_t>(frames),
                                                                &molecule.encoding);
      const auto log_p = nn::log_likelihood(
          network, data.head(), nn::host_rows(z, K),
          sampling::stack_molecules(told, molecule.encoding.atom_count(), network.backend()));
      const double sum = -std::accumulate(log_p.begin(), log_p.end(), 0.0);
      row.nats = sum / static_cast<double>(z.size());
      nats += sum;
      coordinates += static_cast<double>(z.size());
    }
    outcome.held_out_frames += frames;
    outcome.held_out_molecules.push_back(std::move(row));
  }
  return nats / coordinates;
}

}  // namespace

void set_mixed(TrainJob& job) {
  job.coordinates = "cartesian";
  job.range = 4.5;
  job.network.learned_positions = false;
  job.network.output_bias = false;  // a coordinate's place says little where molecules differ
}

TrainOutcome run_mixed_train_job(const TrainJob& asked, const std::filesystem::path& mixture_file,
                                 const RunFolder& output) {
  TrainJob job = asked;
  const auto saved = saved_run(job);
  settle_unnamed(job, saved);
  require(job.held_out >= 0 && job.held_out < 1,
          "--held-out expects a fraction from 0 to below 1, got ", job.held_out);
  require(job.trainer.evaluate_every == 0 || job.held_out > 0,
          "--evaluate-every needs held-out frames: --held-out above 0");
  require(job.trainer.variance_weight == 0 && job.trainer.variance_weight_most == 0,
          "--mix has no energies for the variance term; leave --variance-weight out");
  sampling::MixedOptions options;
  options.scale_nm = job.scale_nm;
  options.range = job.range;
  options.bins = job.network.num_bins;
  options.batch = job.trainer.batch;
  options.held_out = job.held_out;
  options.seed = job.trainer.seed;
  sampling::MixedData data(sampling::read_mixture_file(mixture_file), options);
  for (const auto& molecule : data.molecules()) {
    if (!molecule.note.empty()) std::fprintf(stderr, "%s\n", molecule.note.c_str());
  }
  Json description = describe(data);
  nn::say_within_bins(description, *job.within_bins);
  add_computed_by(description, job.backend);
  const auto config = make_config(job, data.most_atoms());
  if (saved) require_same_run(*saved, job, description, config);

  nn::Transformer network(config, job.backend, job.trainer.seed);
  nn::Trainer trainer(network, data.head(), data, job.trainer, nn::steady_seconds, output.ranks());
  if (saved) trainer.resume(*saved);
  TrainOutcome outcome;
  outcome.parameters = network.parameter_count();
  outcome.frames = data.frames();
  train_with_log(
      trainer, job, data.head().bins(), description,
      [&](const nn::Transformer& tested) { return evaluate_held_out(outcome, tested, data); },
      output, outcome);
  return outcome;
}

}  // namespace arbg::apps
