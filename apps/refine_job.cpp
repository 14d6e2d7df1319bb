#include "apps/refine_job.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "apps/progress.h"
#include "apps/refine_log.h"
#include "apps/train_run.h"
#include "md/forcefield.h"
#include "md/pdb.h"
#include "sampling/bonded_marginals.h"
#include "sampling/replay.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/npy.h"

namespace arbg::apps {
namespace {

constexpr std::size_t kRoundsToJudge = 5;

// What a round needs to draw: everything of a checkpoint but the weights.
struct Start {
  nn::Checkpoint checkpoint;
  std::int64_t energies = 0;  // that it took
};

Json settings_of(const RefineJob& job) {
  Json json = job.trainer.to_json();
  json["model"] = job.model.string();
  json["sequence"] = job.sequence;
  json["forcefield"] = job.forcefield;
  json["temperature_kelvin"] = job.temperature_kelvin;
  json["rounds"] = job.rounds;
  json["samples"] = job.samples;
  json["steps"] = job.steps;
  json["buffer"] = job.buffer;
  json["effective"] = job.effective;
  json["until"] = job.until;
  json["sampling_temperature"] = job.sampling_temperature;
  return json;
}

Start start_from_forcefield(const RefineJob& job) {
  Dataset nothing;
  nothing.forcefield = job.forcefield;
  nothing.temperature_kelvin = job.temperature_kelvin;
  nothing.topology = md::Topology::from_sequence(job.sequence);
  const auto system = md::ForceField::named(job.forcefield).create_system(nothing.topology);
  const auto ideal = md::ideal_geometry(nothing.topology, system);
  create_folder(job.output);
  md::write_pdb(job.output / "topology.pdb", nothing.topology, ideal);
  nothing.topology_pdb = read_file(job.output / "topology.pdb");
  const auto map = md::make_internal_map(nothing.topology, system, job.temperature_kelvin, ideal);
  Start out;
  out.checkpoint.config = network_for(own_network(), *map);
  out.checkpoint.bins = sampling::bins_of(*map, out.checkpoint.config.num_bins);
  out.checkpoint.description = describe_model(nothing, *map);
  nn::Transformer network(out.checkpoint.config, job.backend, job.trainer.seed);
  network.initialise_from_marginals(sampling::bonded_marginals(*map, *out.checkpoint.bins, system,
                                                               job.temperature_kelvin, ideal));
  out.checkpoint.weights = network.values();
  out.energies = map->size() * out.checkpoint.bins->bins();
  return out;
}

Start start_from_model(const RefineJob& job) {
  Start out;
  out.checkpoint = nn::Checkpoint::read(job.model, job.backend);
  const Model model = make_model(out.checkpoint, job.backend, true, job.model.string());
  create_folder(job.output);
  write_file(job.output / "topology.pdb", model.topology_pdb);
  out.checkpoint.weights = out.checkpoint.network(job.backend, true).values();
  return out;
}

// The run: everything that lives from round to round.
class Refinement {
 public:
  explicit Refinement(const RefineJob& job);
  RefineOutcome run();

 private:
  std::filesystem::path checkpoint_path() const { return job_.output / "checkpoint.safetensors"; }
  std::filesystem::path round_path(std::int64_t round) const {
    return job_.output / "replay" / std::to_string(round);
  }
  void go_on(const nn::Checkpoint& saved);
  bool draw(RefineRound& round);
  bool train(RefineRound& round, Progress& progress);
  void save(const RefineRound& round);
  void show(Progress& progress, const RefineRound& round, double steps_done) const;
  bool good_enough() const;
  Model model() const;
  sampling::Samples sample(const Model& model, std::int64_t count, std::uint64_t stream) const;

  RefineJob job_;
  Json settings_;
  std::optional<nn::Checkpoint> saved_;
  Start start_;
  nn::Transformer network_;
  sampling::ReplayBuffer buffer_;
  nn::Trainer trainer_;
  std::vector<RefineRound> history_;
  std::int64_t rounds_ = 0, energies_ = 0;
  double seconds_before_ = 0;
};

std::optional<nn::Checkpoint> read_saved(const RefineJob& job) {
  const auto path = job.output / "checkpoint.safetensors";
  if (!std::filesystem::exists(path)) return {};
  auto saved = nn::Checkpoint::read(path, job.backend);
  require(saved.description.is_object() && saved.description.has("refine"), job.output.string(),
          " holds a model that is not of arbg refine; choose another --output");
  return saved;
}

Start start_of(const RefineJob& job, const std::optional<nn::Checkpoint>& saved) {
  if (saved) return {*saved, 0};
  return job.model.empty() ? start_from_forcefield(job) : start_from_model(job);
}

RefineJob with_total_steps(RefineJob job) {
  job.trainer.total_steps = job.rounds * job.steps;
  return job;
}

Refinement::Refinement(const RefineJob& job)
    : job_(with_total_steps(job)),
      settings_(settings_of(job_)),
      saved_(read_saved(job_)),
      start_(start_of(job_, saved_)),
      network_(start_.checkpoint.config, job_.backend, job_.trainer.seed),
      buffer_(network_.config().length(), static_cast<std::size_t>(job_.buffer), job_.effective,
              job_.trainer.seed),
      trainer_((network_.load(start_.checkpoint.weights), network_), buffer_, job_.trainer),
      energies_(start_.energies) {
  if (saved_) go_on(*saved_);
}

void Refinement::go_on(const nn::Checkpoint& saved) {
  const Json& state = saved.description.at("refine");
  const std::string different = differences(state.at("settings"), settings_);
  require(different.empty(), "cannot go on in ", job_.output.string(),
          ", a run with other settings: ", different, "; choose another --output");
  trainer_.resume(saved);
  rounds_ = state.at("rounds").integer();
  energies_ = state.at("energies").integer();
  history_ = read_refine_log(job_.output / "rounds.jsonl", rounds_);
  if (!history_.empty()) seconds_before_ = history_.back().seconds;
  for (std::int64_t r = std::max<std::int64_t>(0, rounds_ - job_.buffer); r < rounds_; ++r) {
    const auto tokens = read_npy(round_path(r) / "tokens.npy").data;
    sampling::ReplayRound round;
    round.tokens.assign(tokens.begin(), tokens.end());
    round.log_target = read_npy(round_path(r) / "log_target.npy").data;
    round.log_weight = read_npy(round_path(r) / "log_weight.npy").data;
    buffer_.add(std::move(round));
  }
}

Model Refinement::model() const {
  nn::Checkpoint checkpoint = trainer_.checkpoint();
  if (trainer_.step() == 0) checkpoint.averaged_weights.clear();
  checkpoint.bins = start_.checkpoint.bins;
  checkpoint.description = start_.checkpoint.description;
  return make_model(checkpoint, job_.backend, true, checkpoint_path().string());
}

sampling::Samples Refinement::sample(const Model& model, std::int64_t count,
                                     std::uint64_t stream) const {
  sampling::SampleOptions options;
  options.count = count;
  options.decoding.temperature = job_.sampling_temperature;
  options.seed = job_.trainer.seed;
  options.stream = stream;
  return model.generator.sample(options);
}

md::EnergyBackend energy_backend(nn::Backend backend) {
  return backend == nn::Backend::reference ? md::EnergyBackend::reference : md::EnergyBackend::cpu;
}

// New samples into the buffer and its file. False: interrupted.
bool Refinement::draw(RefineRound& round) {
  const Model now = model();
  auto samples =
      sample(now, job_.samples, stream_id("refine", static_cast<std::uint64_t>(round.round)));
  if (interrupted()) return false;
  const auto u = now.target(energy_backend(job_.backend)).reduced_energy(samples.positions_nm);
  sampling::ReplayRound drawn;
  drawn.log_weight = sampling::log_weights(u, samples.log_volume, samples.log_q);
  drawn.log_target.resize(u.size());
  for (std::size_t i = 0; i < u.size(); ++i) drawn.log_target[i] = samples.log_volume[i] - u[i];
  drawn.tokens = std::move(samples.tokens);
  round.energies = energies_ + job_.samples;
  round.weights = metrics::summarise_weights(drawn.log_weight);

  const auto folder = round_path(round.round);
  create_folder(folder);
  const std::int64_t shape[] = {job_.samples, now.generator.map().size()}, count[] = {job_.samples};
  write_npy(folder / "tokens.npy", shape, std::span<const std::int32_t>(drawn.tokens));
  write_npy(folder / "log_target.npy", count, std::span<const double>(drawn.log_target));
  write_npy(folder / "log_weight.npy", count, std::span<const double>(drawn.log_weight));
  round.exponent = buffer_.add(std::move(drawn));
  return true;
}

bool Refinement::train(RefineRound& round, Progress& progress) {
  for (std::int64_t step = 0; step < job_.steps; ++step) {
    if (interrupted()) return false;
    const nn::StepReport report = trainer_.train_step();
    round.nats += report.nats_per_coordinate / static_cast<double>(job_.steps);
    round.variance += report.variance / static_cast<double>(job_.steps);
    show(progress, round, static_cast<double>(step + 1));
  }
  return true;
}

void Refinement::show(Progress& progress, const RefineRound& round, double steps_done) const {
  const double done =
      static_cast<double>(round.round) + steps_done / static_cast<double>(job_.steps);
  char detail[160];
  std::snprintf(detail, sizeof detail, "round %lld/%lld  ESS %.1f %%  exponent %.2f  %lld energies",
                static_cast<long long>(round.round + 1), static_cast<long long>(job_.rounds),
                100 * round.weights.ess_fraction, round.exponent,
                static_cast<long long>(round.energies));
  progress.update(done / static_cast<double>(job_.rounds), detail);
}

// The checkpoint comes last but for clearing up: it says which rounds are complete.
void Refinement::save(const RefineRound& round) {
  rounds_ = round.round + 1;
  energies_ = round.energies;
  history_.push_back(round);
  write_refine_log(job_.output / "rounds.jsonl", history_);
  nn::Checkpoint checkpoint = trainer_.checkpoint();
  checkpoint.bins = start_.checkpoint.bins;
  checkpoint.description = start_.checkpoint.description;
  Json state = Json::object();
  state["settings"] = settings_;
  state["rounds"] = rounds_;
  state["energies"] = energies_;
  checkpoint.description["refine"] = std::move(state);
  checkpoint.write(checkpoint_path());
  std::filesystem::remove_all(round_path(rounds_ - job_.buffer - 1));
}

bool Refinement::good_enough() const {
  if (history_.size() < kRoundsToJudge) return false;
  double sum = 0;
  for (std::size_t k = history_.size() - kRoundsToJudge; k < history_.size(); ++k)
    sum += history_[k].weights.ess_fraction;
  return sum >= job_.until * static_cast<double>(kRoundsToJudge);
}

RefineOutcome Refinement::run() {
  Progress progress("refine");
  bool going = true;
  while (going && rounds_ < job_.rounds && !good_enough()) {
    RefineRound round;
    round.round = rounds_;
    going = draw(round) && train(round, progress);
    if (!going) break;
    round.seconds = seconds_before_ + progress.elapsed_s();
    save(round);
  }
  RefineOutcome out;
  out.checkpoint = checkpoint_path();
  out.rounds = rounds_;
  out.energies = energies_;
  out.parameters = network_.parameter_count();
  out.history = history_;
  out.seconds = history_.empty() ? 0 : history_.back().seconds;
  if (!going) return out;
  const Model last = model();
  const auto samples = sample(last, job_.final_samples, stream_id("refined"));
  if (interrupted()) return out;
  const auto u = last.target(energy_backend(job_.backend)).reduced_energy(samples.positions_nm);
  out.weights =
      metrics::summarise_weights(sampling::log_weights(u, samples.log_volume, samples.log_q));
  out.complete = true;
  return out;
}

}  // namespace

RefineJob::RefineJob() {
  TrainJob recommended;
  set_recommended(recommended);
  trainer = recommended.trainer;
}

RefineOutcome run_refine_job(const RefineJob& job) { return Refinement(job).run(); }

}  // namespace arbg::apps
