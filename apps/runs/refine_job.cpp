#include "apps/runs/refine_job.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <optional>

#include "apps/cli/progress.h"
#include "apps/runs/refine_log.h"
#include "apps/runs/train_run.h"
#include "md/files/pdb.h"
#include "md/forcefields/forcefield.h"
#include "nn/files/safetensors.h"
#include "sampling/proposals/autoregressive.h"
#include "sampling/proposals/bonded_marginals.h"
#include "sampling/training/walker_pool.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/npy.h"
#include "tensor/base/streams.h"

namespace arbg::apps {
namespace {

constexpr int kRoundsToJudge = 5;
constexpr std::int64_t kMovesInSweep = 8;  // of the warm-up, before steps and lengths adapt

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
  json["walkers"] = job.walkers;
  json["warm_up"] = job.warm_up;
  json["moves"] = job.moves;
  json["until"] = job.until;
  json["patience"] = job.patience;
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
  std::filesystem::path log_path() const { return job_.output / "rounds.jsonl"; }
  std::filesystem::path walkers_path(std::int64_t rounds) const {
    return job_.output / ("walkers-" + std::to_string(rounds) + ".npy");
  }
  std::filesystem::path warm_up_path() const { return job_.output / "warm-up.safetensors"; }
  void require_same_settings(const Json& there) const;
  void go_on(const nn::Checkpoint& saved);
  bool warm_up();
  std::int64_t resume_warm_up();
  void save_warm_up(std::int64_t moves, double seconds) const;
  bool draw(RefineRound& round);
  bool train(RefineRound& round, Progress& progress);
  void save();
  void clear_up() const;
  void show(Progress& progress, const RefineRound& round, double steps_done) const;
  bool done() const;
  Model model() const;
  sampling::Decoding decoding() const;
  sampling::Walkers sample(const Model& model, std::int64_t count, std::uint64_t stream) const;

  RefineJob job_;
  Json settings_;
  std::optional<nn::Checkpoint> saved_;
  Start start_;
  nn::Transformer network_;
  Model first_;  // of the map, the bins and the target that all rounds share
  sampling::Target target_;
  sampling::WalkerPool pool_;
  nn::Trainer trainer_;
  std::vector<RefineRound> history_;
  std::int64_t energies_ = 0;
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
      first_(make_model(start_.checkpoint, job_.backend, true, job_.output.string())),
      target_(first_.target(job_.backend)),
      pool_(first_.generator.map(), first_.generator.bins(), target_, job_.trainer.seed),
      trainer_((network_.load(start_.checkpoint.weights), network_), pool_, job_.trainer),
      energies_(start_.energies) {
  if (saved_) go_on(*saved_);
}

void Refinement::require_same_settings(const Json& there) const {
  const std::string different = differences(there, settings_);
  require(different.empty(), "cannot go on in ", job_.output.string(),
          ", a run with other settings: ", different, "; choose another --output");
}

void Refinement::go_on(const nn::Checkpoint& saved) {
  const Json& state = saved.description.at("refine");
  require_same_settings(state.at("settings"));
  trainer_.resume(saved);
  energies_ = state.at("energies").integer();
  const std::int64_t rounds = state.at("rounds").integer();
  history_ = read_refine_log(log_path(), rounds);
  require(std::ssize(history_) == rounds, log_path().string(), " has ", history_.size(),
          " rounds, the checkpoint beside it ", rounds);
  seconds_before_ = history_.back().seconds;
  pool_.restore(read_npy(walkers_path(rounds)).data, state.at("eps").number());
  clear_up();
}

Model Refinement::model() const {
  nn::Checkpoint checkpoint = trainer_.checkpoint();
  if (trainer_.step() == 0) checkpoint.averaged_weights.clear();
  checkpoint.bins = start_.checkpoint.bins;
  checkpoint.description = start_.checkpoint.description;
  return make_model(checkpoint, job_.backend, true, checkpoint_path().string());
}

sampling::Decoding Refinement::decoding() const {
  sampling::Decoding out;
  out.temperature = job_.sampling_temperature;
  return out;
}

// Samples with their energies; fewer when interrupted.
sampling::Walkers Refinement::sample(const Model& model, std::int64_t count,
                                     std::uint64_t stream) const {
  const sampling::AutoregressiveProposal proposal(model.generator, decoding());
  sampling::SampleOptions options;
  options.count = count;
  options.seed = job_.trainer.seed;
  options.stream = stream;
  return sampling::make_walkers(proposal.draw(options), proposal.map(), target_);
}

metrics::WeightSummary weights_of(const sampling::Walkers& samples) {
  return metrics::summarise_weights(
      sampling::log_weights(samples.u, samples.samples.log_volume, samples.samples.log_q));
}

// The walkers, from samples of the model to the start of the first round. False: interrupted.
bool Refinement::warm_up() {
  Progress progress("warm up");
  const std::int64_t first = resume_warm_up();
  if (first == 0) {
    auto samples = sample(model(), job_.walkers, stream_id(streams::kWalkers));
    if (interrupted()) return false;
    pool_.start(std::move(samples));
  }
  for (std::int64_t done = first; done < job_.warm_up; done += kMovesInSweep) {
    const std::int64_t moves = std::min(kMovesInSweep, job_.warm_up - done);
    const double accepted = pool_.relax(moves, static_cast<std::uint64_t>(done));
    if (interrupted()) return false;
    save_warm_up(done + moves, seconds_before_ + progress.elapsed_s());
    char detail[80];
    std::snprintf(detail, sizeof detail, "%.0f %% of moves accepted, step %.2f", 100 * accepted,
                  pool_.eps());
    progress.update(static_cast<double>(done + moves) / static_cast<double>(job_.warm_up), detail);
  }
  energies_ += job_.walkers * (1 + job_.warm_up);
  seconds_before_ += progress.elapsed_s();
  return true;
}

// Moves of the warm-up that an earlier call has made: 0 if there is nothing of one.
std::int64_t Refinement::resume_warm_up() {
  if (!std::filesystem::exists(warm_up_path())) return 0;
  const auto file = nn::Safetensors::read(warm_up_path());
  const std::string* text = file.metadata("warm_up");
  require(text != nullptr, warm_up_path().string(),
          " is not of arbg refine; choose another --output");
  const Json state = Json::parse(*text, warm_up_path().string());
  require_same_settings(state.at("settings"));
  pool_.restore(file.values("walkers"), state.at("eps").number());
  seconds_before_ = state.at("seconds").number();
  return state.at("moves_done").integer();
}

void Refinement::save_warm_up(std::int64_t moves, double seconds) const {
  Json state = Json::object();
  state["settings"] = settings_;
  state["moves_done"] = moves;
  state["eps"] = pool_.eps();
  state["seconds"] = seconds;
  const auto& walkers = pool_.walkers();
  const auto coordinates = tensor::Tensor::from_values(
      walkers.samples.coordinates, {walkers.count(), first_.generator.map().size()},
      nn::Backend::reference);  // as double
  nn::write_safetensors(warm_up_path(), {{"walkers", coordinates}}, {{"warm_up", state.dump()}});
}

// Fresh samples, to look at and to propose to the walkers. False: interrupted.
bool Refinement::draw(RefineRound& round) {
  const auto number = static_cast<std::uint64_t>(round.round);
  const Model now = model();
  const auto fresh = sample(now, job_.samples, stream_id(streams::kRefine, number));
  if (interrupted()) return false;
  round.weights = weights_of(fresh);
  const sampling::AutoregressiveProposal proposal(now.generator, decoding());
  round.exchanged = pool_.exchange(fresh, proposal, round.round);
  round.moved = pool_.relax(job_.moves, stream_id(streams::kRefineRound, number));
  round.energies = energies_ + job_.samples + job_.moves * job_.walkers;
  return !interrupted();
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
  std::snprintf(detail, sizeof detail,
                "round %lld/%lld  ESS %.1f %%  exchanged %.1f %%  %lld energies",
                static_cast<long long>(round.round + 1), static_cast<long long>(job_.rounds),
                100 * round.weights.ess_fraction, 100 * round.exchanged,
                static_cast<long long>(round.energies));
  progress.update(done / static_cast<double>(job_.rounds), detail);
}

// The checkpoint comes last but for clearing up: it says which rounds are complete.
void Refinement::save() {
  const std::int64_t rounds = std::ssize(history_);
  const auto& walkers = pool_.walkers();
  const std::int64_t shape[] = {walkers.count(), first_.generator.map().size()};
  write_npy(walkers_path(rounds), shape, std::span<const double>(walkers.samples.coordinates));
  write_refine_log(log_path(), history_);
  nn::Checkpoint checkpoint = trainer_.checkpoint();
  checkpoint.bins = start_.checkpoint.bins;
  checkpoint.description = start_.checkpoint.description;
  Json state = Json::object();
  state["settings"] = settings_;
  state["rounds"] = rounds;
  state["energies"] = energies_;
  state["eps"] = pool_.eps();
  checkpoint.description["refine"] = std::move(state);
  checkpoint.write(checkpoint_path());
  clear_up();
}

// What this call, or one that was killed, left of other rounds.
void Refinement::clear_up() const {
  const std::int64_t rounds = std::ssize(history_);
  for (const auto old : {rounds - 1, rounds - 2}) std::filesystem::remove(walkers_path(old));
  std::filesystem::remove(warm_up_path());
}

bool Refinement::done() const {
  std::vector<double> ess;
  for (const RefineRound& round : history_) ess.push_back(round.weights.ess_fraction);
  return std::ssize(history_) >= job_.rounds || enough_rounds(ess, job_.until, job_.patience);
}

RefineOutcome Refinement::run() {
  bool going = saved_ || warm_up();
  Progress progress("refine");
  while (going && !done()) {
    RefineRound round;
    round.round = std::ssize(history_);
    going = draw(round) && train(round, progress);
    if (!going) break;
    round.seconds = seconds_before_ + progress.elapsed_s();
    energies_ = round.energies;
    history_.push_back(round);
    save();
  }
  RefineOutcome out;
  out.checkpoint = checkpoint_path();
  out.rounds = std::ssize(history_);
  out.energies = energies_;
  out.parameters = network_.parameter_count();
  out.history = history_;
  out.seconds = history_.empty() ? 0 : history_.back().seconds;
  if (!going) return out;
  const auto samples = sample(model(), job_.final_samples, stream_id(streams::kRefined));
  if (interrupted()) return out;
  out.weights = weights_of(samples);
  out.complete = true;
  return out;
}

}  // namespace

RefineJob::RefineJob() {
  TrainJob recommended;
  set_recommended(recommended);
  trainer = recommended.trainer;
}

bool enough_rounds(std::span<const double> ess_fractions, double until, std::int64_t patience) {
  const auto rounds = std::ssize(ess_fractions);
  double best = 0, mean = 0;
  std::int64_t best_round = 0;
  for (std::int64_t r = kRoundsToJudge - 1; r < rounds; ++r) {
    const auto last = ess_fractions.subspan(static_cast<std::size_t>(r + 1 - kRoundsToJudge),
                                            static_cast<std::size_t>(kRoundsToJudge));
    mean = std::accumulate(last.begin(), last.end(), 0.0) / kRoundsToJudge;
    if (mean > best) best = mean, best_round = r;
  }
  if (rounds < kRoundsToJudge) return false;
  return mean >= until || (patience > 0 && rounds - 1 - best_round >= patience);
}

RefineOutcome run_refine_job(const RefineJob& job) { return Refinement(job).run(); }

}  // namespace arbg::apps
