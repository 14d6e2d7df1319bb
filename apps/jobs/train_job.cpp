#include "apps/jobs/train_job.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "apps/jobs/train_run.h"
#include "apps/runs/computed_by.h"
#include "apps/runs/model_file.h"
#include "md/coordinates/coordinate_map.h"
#include "md/forcefields/forcefield.h"
#include "sampling/training/training_data.h"
#include "tensor/base/crc32.h"
#include "tensor/base/error.h"
#include "tensor/gemm/tiles_bf16.h"

namespace arbg::apps {
namespace {

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

// What a run is of: the model, the frames, and how many of them it does not see. A run that goes
// on, from `saved`, keeps the constants of its placement energies. An older run said nothing of its
// frames: nor does this, if it is to be compared with `saved`.
Json describe_run(const TrainJob& job, const Dataset& all, const md::CoordinateMap& map,
                  const Json* saved, bool compared) {
  Json out = describe_model(all, map, job.network, saved);
  const auto told = [&](const char* name) { return !compared || saved->has(name); };
  if (told("held_out_frames"))
    out["held_out_frames"] = sampling::held_out_count(all.frames(), job.held_out);
  if (told("frames_crc32")) {
    Crc32 sum;
    sum.add(std::as_bytes(std::span(all.positions_nm)));
    sum.add(std::as_bytes(std::span(all.reduced_energy)));
    out["frames_crc32"] = static_cast<std::int64_t>(sum.value());
  }
  nn::say_within_bins(out, *job.within_bins);
  add_computed_by(out, job.backend);
  return out;
}

void check_same_run(const nn::Checkpoint& saved, const TrainJob& job, const Dataset& all,
                    const Dataset& train) {
  require(!saved.description.has("molecules"), job.output.string(),
          " is a run with many molecules; go on with --mix");
  const std::string kind = saved.description.at("coordinate_map").at("name").string();
  require(kind == job.coordinates, "the checkpoint in ", job.output.string(), " is of ", kind,
          " coordinates; add --coordinates ", kind);
  const auto map = make_map(job, train);
  require_same_run(saved, job, describe_run(job, all, *map, &saved.description, true),
                   sampling::network_for(job.network, *map));
}

std::optional<nn::PlacementConfig> placement_for(const TrainJob& job,
                                                 const std::optional<nn::Checkpoint>& saved) {
  if (job.placement.empty() && saved) return saved->config.placement;
  return placement_named(job.placement.empty() ? recommended_placement(job.coordinates)
                                               : job.placement);
}

// What placement energies alone would give, on average over some of the frames.
std::vector<double> curves_of(const nn::BinnedHead& head, sampling::TrainingData& data,
                              nn::Backend backend) {
  constexpr std::int64_t kFrames = 2048;
  if (!head.placement()) return {};
  std::vector<double> z(
      static_cast<std::size_t>(std::min(kFrames, data.size()) * head.coordinates()));
  data.fill(0, z, {});
  return nn::mean_of_curves(*head.placement(), nn::host_rows(z, head.coordinates()),
                            head.bins().bins(),
                            tensor::Device{backend}.is_host() ? backend : Backend::cpu);
}

// The held-out frames, in the model's coordinates.
class HeldOutFrames {
 public:
  HeldOutFrames(const nn::Head& head, const md::CoordinateMap& map, const Dataset& frames,
                std::uint64_t seed)
      : head_(head) {
    if (frames.frames() == 0) return;
    sampling::TrainingData data(map, head, {frames.positions_nm.begin(), frames.positions_nm.end()},
                                {}, seed, true);
    z_.resize(static_cast<std::size_t>(data.size() * map.size()));
    data.fill(0, z_, {});
  }

  // Per coordinate; NaN without frames. Together: the frames are shared out.
  double nats(const nn::Transformer& network, const Ranks& ranks) const {
    const std::int64_t K = head_.coordinates();
    const auto [first, last] = ranks.share(std::ssize(z_) / K);
    const auto own = nn::log_likelihood(
        network, head_, nn::host_rows({z_.begin() + first * K, z_.begin() + last * K}, K));
    const auto log_p = ranks.gather(std::span<const double>(own));
    return -std::accumulate(log_p.begin(), log_p.end(), 0.0) / static_cast<double>(z_.size());
  }

 private:
  const nn::Head& head_;
  std::vector<double> z_;
};

}  // namespace

TrainOutcome run_train_job(const TrainJob& asked, const Dataset& all, const RunFolder& output) {
  TrainJob job = asked;
  const auto saved = saved_run(job);
  job.network.placement = placement_for(job, saved);
  settle_unnamed(job, saved);
  require(job.held_out >= 0 && job.held_out < 1,
          "--held-out expects a fraction from 0 to below 1, got ", job.held_out);
  require(job.trainer.variance_weight == 0 || !all.reduced_energy.empty(),
          "the variance term needs energy.npy beside positions.npy; use --variance-weight 0");
  const std::int64_t held_out_frames = sampling::held_out_count(all.frames(), job.held_out);
  const Dataset train = all.part(0, all.frames() - held_out_frames);
  const Dataset held_out = all.part(train.frames(), held_out_frames);

  require(job.trainer.evaluate_every == 0 || held_out_frames > 0,
          "--evaluate-every needs held-out frames, but --held-out ", job.held_out, " of ",
          all.frames(), " frames are none");

  // From the checkpoint, if there is one; otherwise new.
  if (saved) check_same_run(*saved, job, all, train);
  const auto map = saved ? md::CoordinateMap::from_json(saved->description.at("coordinate_map"))
                         : make_map(job, train);
  const Json description =
      describe_run(job, all, *map, saved ? &saved->description : nullptr, false);
  const nn::BinnedHead head(saved ? *saved->bins : sampling::bins_of(*map, job.network.num_bins),
                            placement_of(description, all.topology, *map, job.network),
                            *job.within_bins);
  sampling::TrainingData data(
      *map, head, {train.positions_nm.begin(), train.positions_nm.end()},
      job.trainer.variance_weight > 0 ? train.reduced_energy : std::vector<double>{},
      job.trainer.seed, job.drop_outside);
  nn::Transformer network(saved ? saved->config : sampling::network_for(job.network, *map),
                          job.backend, job.trainer.seed);
  if (!saved)
    network.initialise_from_marginals(data.counts(head.bins()), 1,
                                      curves_of(head, data, job.backend));
  nn::Trainer trainer(network, head, data, job.trainer, nn::steady_seconds, output.ranks());
  if (saved) trainer.resume(*saved);

  TrainOutcome outcome;
  outcome.parameters = network.parameter_count();
  outcome.frames = data.size();
  outcome.held_out_frames = held_out_frames;
  const HeldOutFrames frames(head, *map, held_out, job.trainer.seed + 1);
  train_with_log(
      trainer, job, head.bins(), description,
      [&](const nn::Transformer& tested) { return frames.nats(tested, output.ranks()); }, output,
      outcome);
  return outcome;
}

std::optional<nn::PlacementConfig> placement_named(const std::string& name) {
  require(name == "none" || name == "logits" || name == "full",
          "--placement expects none, logits or full, got '", name, "'");
  nn::PlacementConfig config;
  if (name == "none") return {};
  if (name == "logits") config.features = 0;
  return config;
}

const char* recommended_placement(const std::string& coordinates) {
  return coordinates == "internal" ? "full" : "none";
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
    double dropout;
  };
  constexpr Size kPublished[] = {{"base", 256, 8, 8, 4096, 0},
                                 {"medium", 512, 12, 8, 8192, 0},
                                 {"large", 768, 16, 12, 8192, 0.1}};
  const auto* size = std::ranges::find(kPublished, name, &Size::name);
  require(size != std::end(kPublished), "--network expects demo, base, medium or large, got '",
          name, "'");
  job.network.channels = size->channels;
  job.network.num_layers = size->layers;
  job.network.num_heads = size->heads;
  job.network.num_bins = size->bins;
  job.network.dropout = size->dropout;
  job.trainer.optimizer = nn::OptimizerKind::adamw;
  job.trainer.learning_rate = 5e-4;
}

tensor::ProductPrecision recommended_products(const TrainJob& job) {
  using tensor::ProductPrecision;
  if (const auto saved = saved_run(job)) {
    const Json& begun = saved->description;
    return begun.has("products") ? tensor::product_precision_named(begun.at("products").string())
                                 : ProductPrecision::float32;
  }
  return job.backend == Backend::cpu && tensor::has_amx() ? ProductPrecision::bf16
                                                          : ProductPrecision::float32;
}

void set_recommended(TrainJob& job) {
  job.trainer.batch = 128;
  job.trainer.micro_batch = 8;
  if (!tensor::Device{job.backend}.is_host()) {
    job.trainer.shards = 1;  // all of a device works on one
    job.trainer.micro_batch = 0;
  }
  job.trainer.optimizer = nn::OptimizerKind::soap;
  job.trainer.learning_rate = 3e-3;
  job.trainer.average_decay = 0.99;
  job.trainer.variance_weight = 0.3;
  job.trainer.variance_weight_most = 10;
  if (job.coordinates == "cartesian") {
    job.network.num_bins = 1024;
    job.trainer.variance_weight = job.trainer.variance_weight_most = 0;
    job.trainer.optimizer = nn::OptimizerKind::adamw;
    job.trainer.learning_rate = 2e-3;
  }
}

}  // namespace arbg::apps
