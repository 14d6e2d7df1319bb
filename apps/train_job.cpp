#include "apps/train_job.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "apps/model_file.h"
#include "apps/progress.h"
#include "apps/train_log.h"
#include "md/coordinate_map.h"
#include "md/forcefield.h"
#include "sampling/training_data.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"

namespace arbg::apps {
namespace {

constexpr std::int64_t kMostHeldOut = 4096;

// Standard deviation of all centred coordinates, in nm: the published scale of Cartesian
// coordinates.
double centred_deviation(const Dataset& data) {
  const auto atoms = static_cast<std::size_t>(data.topology.atom_count());
  double sum = 0;
  for (std::size_t f = 0; f < data.positions_nm.size(); f += 3 * atoms) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      double mean = 0, squares = 0;
      for (std::size_t a = 0; a < atoms; ++a)
        mean += data.positions_nm[f + 3 * a + axis] / static_cast<double>(atoms);
      for (std::size_t a = 0; a < atoms; ++a)
        squares += std::pow(data.positions_nm[f + 3 * a + axis] - mean, 2);
      sum += squares;
    }
  }
  return std::sqrt(sum / static_cast<double>(data.positions_nm.size()));
}

std::unique_ptr<md::CoordinateMap> make_map(const TrainJob& job, const Dataset& data) {
  if (job.coordinates == "cartesian") {
    return md::make_cartesian_map(data.topology.atom_count(), centred_deviation(data), job.range);
  }
  require(job.coordinates == "internal", "--coordinates expects internal or cartesian, got '",
          job.coordinates, "'");
  const auto system = md::ForceField::named(data.forcefield).create_system(data.topology);
  const auto first_frame = std::span(data.positions_nm).first(3 * data.topology.atoms.size());
  return md::make_internal_map(data.topology, system, data.temperature_kelvin, first_frame);
}

nn::TransformerConfig make_config(const TrainJob& job, const md::CoordinateMap& map) {
  nn::TransformerConfig config = job.network;
  config.num_atoms = map.atom_count();
  for (const auto& coordinate : map.coordinates()) {
    config.dim_index.push_back(coordinate.kind);
    config.atom_index.push_back(coordinate.order);
  }
  config.check();
  return config;
}

// Members that the checkpoint has with another value, or that only one of the two has: "batch is 32
// there and 64 here". What is too long to print is only named.
std::string differences(const Json& there, const Json& here) {
  const auto text = [](const Json& json, const std::string& name) {
    return json.has(name) ? json.at(name).dump() : "the default";
  };
  std::string out;
  Json all = here;
  for (const auto& [name, value] : there.members()) all[name] = value;
  for (const auto& [name, ignored] : all.members()) {
    const std::string a = text(there, name), b = text(here, name);
    if (a == b) continue;
    constexpr std::size_t kLongest = 40;
    out += (out.empty() ? "" : ", ") + name;
    if (a.size() <= kLongest && b.size() <= kLongest)
      out += " is " + a + " there and " + b + " here";
    else
      out += " differs";
  }
  return out;
}

// A run goes on bit for bit or not at all.
void require_same_run(const nn::Checkpoint& saved, const TrainJob& job, const Dataset& all,
                      const Dataset& train) {
  require(saved.description.is_object() && saved.description.has("coordinate_map") &&
              saved.trainer.has("options"),
          "the checkpoint in ", job.output.string(),
          " holds no training state of arbg train to resume from");
  const std::string kind = saved.description.at("coordinate_map").at("name").string();
  require(kind == job.coordinates, "the checkpoint in ", job.output.string(), " is of ", kind,
          " coordinates; add --coordinates ", kind);
  const auto map = make_map(job, train);
  std::string all_differences;
  for (const auto& different :
       {differences(saved.description, describe_model(all, *map)),
        differences(saved.config.to_json(), make_config(job, *map).to_json()),
        differences(nn::TrainerOptions::from_json(saved.trainer.at("options")).to_json(),
                    job.trainer.to_json())}) {
    if (!different.empty()) all_differences += (all_differences.empty() ? "" : ", ") + different;
  }
  require(all_differences.empty(), "cannot resume ", job.output.string(),
          ", a run with other data or options: ", all_differences,
          "; give the same ones, or choose another --output");
}

double held_out_nats(const nn::Transformer& network, const nn::CoordinateBins& bins,
                     const md::CoordinateMap& map, const Dataset& held_out, std::uint64_t seed) {
  if (held_out.frames() == 0) return std::nan("");
  std::vector<float> positions(held_out.positions_nm.begin(), held_out.positions_nm.end());
  sampling::TrainingData data(map, bins, std::move(positions), {}, seed, true);
  std::vector<std::int32_t> tokens(static_cast<std::size_t>(data.size() * map.size()));
  data.fill(0, tokens, {});
  const auto log_p = network.log_likelihood(tokens);
  return -std::accumulate(log_p.begin(), log_p.end(), 0.0) / static_cast<double>(tokens.size());
}

// Trains to the end or an interrupt, with progress line and log; fills in what that tells.
void train_with_log(nn::Trainer& trainer, nn::RunOptions& run,
                    const std::filesystem::path& log_path, TrainOutcome& outcome) {
  TrainLog log(log_path, trainer.step());
  Progress progress("train");
  outcome.steps_before = trainer.step();
  outcome.train_nats = std::nan("");
  run.on_step = [&](const nn::StepReport& report) {
    const double nats = report.nats_per_coordinate, before = outcome.train_nats;
    outcome.train_nats = std::isnan(before) ? nats : 0.98 * before + 0.02 * nats;
    log.add(report, progress.elapsed_s());
    char detail[160];
    std::snprintf(detail, sizeof detail,
                  "step %lld/%lld  nats/coordinate %.4f  |g| %.2f  %.0f samples/s",
                  static_cast<long long>(report.step), static_cast<long long>(report.total_steps),
                  outcome.train_nats, report.gradient_norm, report.samples_per_second);
    const double total = static_cast<double>(std::max<std::int64_t>(report.total_steps, 1));
    progress.update(static_cast<double>(report.step) / total, detail);
  };
  outcome.complete = nn::run_training(trainer, run);
  outcome.steps = trainer.step();
  outcome.seconds = progress.elapsed_s();
  outcome.samples_per_second =
      static_cast<double>((outcome.steps - outcome.steps_before) * trainer.options().batch) /
      std::max(outcome.seconds, 1e-9);
}

}  // namespace

TrainOutcome run_train_job(const TrainJob& job, const Dataset& all) {
  const auto checkpoint_path = job.output / "checkpoint.safetensors";
  const bool exists = std::filesystem::exists(checkpoint_path);
  require(!exists || job.resume, checkpoint_path.string(),
          " exists; go on with --resume, or choose another --output");
  require(job.held_out >= 0 && job.held_out < 1,
          "--held-out expects a fraction from 0 to below 1, got ", job.held_out);
  require(job.trainer.variance_weight == 0 || !all.reduced_energy.empty(),
          "the variance term needs energy.npy beside positions.npy; use --variance-weight 0");
  const std::int64_t held_out_frames = std::min(
      kMostHeldOut, static_cast<std::int64_t>(job.held_out * static_cast<double>(all.frames())));
  const Dataset train = all.part(0, all.frames() - held_out_frames);
  const Dataset held_out = all.part(train.frames(), held_out_frames);

  // From the checkpoint, if there is one; otherwise new.
  std::optional<nn::Checkpoint> saved;
  if (exists) saved = nn::Checkpoint::read(checkpoint_path, job.backend);
  if (saved) require_same_run(*saved, job, all, train);
  const auto map = saved ? md::CoordinateMap::from_json(saved->description.at("coordinate_map"))
                         : make_map(job, train);
  const auto bins = saved ? *saved->bins : sampling::bins_of(*map, job.network.num_bins);
  sampling::TrainingData data(
      *map, bins, {train.positions_nm.begin(), train.positions_nm.end()},
      job.trainer.variance_weight > 0 ? train.reduced_energy : std::vector<double>{},
      job.trainer.seed, job.drop_outside);
  nn::Transformer network(saved ? saved->config : make_config(job, *map), job.backend,
                          job.trainer.seed);
  if (!saved) network.initialise_from_marginals(data.counts());
  nn::Trainer trainer(network, data, job.trainer);
  if (saved) trainer.resume(*saved);

  create_folder(job.output);
  TrainOutcome outcome;
  outcome.checkpoint = checkpoint_path;
  outcome.parameters = network.parameter_count();
  outcome.frames = data.size();
  outcome.held_out_frames = held_out_frames;
  nn::RunOptions run;
  run.checkpoint_path = checkpoint_path;
  run.checkpoint_every_s = job.checkpoint_every_s;
  run.bins = bins;
  run.description = describe_model(all, *map);
  train_with_log(trainer, run, job.output / "train_log.jsonl", outcome);
  outcome.held_out_nats = held_out_nats(trainer.checkpoint().network(job.backend, true), bins, *map,
                                        held_out, job.trainer.seed + 1);
  return outcome;
}

nn::TransformerConfig own_network() {
  nn::TransformerConfig config;
  config.learned_positions = true;
  config.own_start_row = true;
  config.output_bias = true;
  config.bin_features = true;
  return config;
}

void set_network(TrainJob& job, const std::string& name) {
  if (name == "demo") return;
  struct Size {
    const char* name;
    std::int64_t channels, layers, heads, bins;
  };
  constexpr Size kPublished[] = {
      {"base", 256, 8, 8, 4096}, {"medium", 512, 12, 8, 8192}, {"large", 768, 16, 12, 8192}};
  const auto* size = std::ranges::find(kPublished, name, &Size::name);
  require(size != std::end(kPublished), "--network expects demo, base, medium or large, got '",
          name, "'");
  job.network.channels = size->channels;
  job.network.num_layers = size->layers;
  job.network.num_heads = size->heads;
  job.network.num_bins = size->bins;
  job.trainer.learning_rate = 5e-4;
}

void set_recommended(TrainJob& job) {
  job.trainer.batch = 128;
  job.trainer.micro_batch = 8;
  job.trainer.learning_rate = 3e-3;
  job.trainer.average_decay = 0.99;
  job.trainer.variance_weight = 0.3;
  if (job.coordinates == "cartesian") {
    job.network.num_bins = 1024;
    job.trainer.variance_weight = 0;
    job.trainer.learning_rate = 2e-3;
  }
}

}  // namespace arbg::apps
