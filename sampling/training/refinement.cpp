#include "sampling/training/refinement.h"

#include <algorithm>
#include <numeric>

#include "nn/training/trainer_run.h"
#include "sampling/proposals/autoregressive.h"
#include "sampling/targets/target.h"
#include "tensor/base/error.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/streams.h"

namespace arbg::sampling {
namespace {

constexpr int kRoundsToJudge = 5;
constexpr std::int64_t kMovesInSweep = 8;  // of the warm-up, before steps and lengths adapt

metrics::WeightSummary weights_of(const Walkers& samples) {
  return metrics::summarise_weights(
      log_weights(samples.u, samples.samples.log_volume, samples.samples.log_q));
}

}  // namespace

nn::TrainerOptions RefinementOptions::trainer_of_all_rounds() const {
  nn::TrainerOptions out = trainer;
  out.total_steps = rounds * steps;
  return out;
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

Refinement::Refinement(const nn::Checkpoint& start, const Potential& potential,
                       RefinementOptions options, nn::Backend backend, std::int64_t energies,
                       std::shared_ptr<const nn::Placement> placement, const Ranks& ranks)
    : options_(std::move(options)),
      backend_(backend),
      ranks_(ranks),
      placement_(std::move(placement)),
      head_(start.bins.value(), placement_, nn::within_bins_of(start.description)),
      description_(start.description),
      map_(md::CoordinateMap::from_json(description_.at("coordinate_map"))),
      potential_(potential),
      network_(start.config, backend, options_.trainer.seed),
      pool_(*map_, head_, potential_, options_.trainer.seed, ranks),
      trainer_((network_.load(start.weights), network_), head_, pool_,
               options_.trainer_of_all_rounds(), nn::steady_seconds, ranks),
      energies_(energies),
      started_s_(nn::steady_seconds()) {}

void Refinement::resume_warm_up(const RefinementState& state) {
  pool_.restore(state.walkers, state.eps);
  warm_up_moves_ = state.warm_up_moves;
  energies_ += options_.walkers * (1 + warm_up_moves_);
  seconds_before_ = state.seconds;
}

void Refinement::resume(const RefinementState& state, const nn::Checkpoint& trained) {
  trainer_.resume(trained);
  pool_.restore(state.walkers, state.eps);
  history_ = state.history;
  warm_up_moves_ = options_.warm_up;
  energies_ = state.energies;
  seconds_before_ = state.seconds;
}

// The weight average, once there is one.
Generator Refinement::generator() const {
  nn::Checkpoint checkpoint = trainer_.checkpoint();
  if (trainer_.step() == 0) checkpoint.averaged_weights.clear();
  return {checkpoint.network(backend_, true),
          head_.bins(),
          md::CoordinateMap::from_json(description_.at("coordinate_map")),
          {},
          placement_,
          head_.within()};
}

Decoding Refinement::decoding() const {
  Decoding out;
  out.temperature = options_.sampling_temperature;
  return out;
}

// Samples with their energies; fewer when interrupted.
Walkers Refinement::sample(const Generator& generator, std::int64_t count,
                           std::uint64_t stream) const {
  const Share own = ranks_.share(count);
  SampleOptions options;
  options.first = own.first;
  options.count = own.count();
  options.seed = options_.trainer.seed;
  options.stream = stream;
  const AutoregressiveProposal proposal(generator, decoding());
  return gather(make_walkers(proposal.draw(options), generator.map(), potential_), ranks_);
}

bool Refinement::any_interrupted() const { return ranks_.any(interrupted()); }

bool Refinement::begin() {
  auto samples = sample(generator(), options_.walkers, stream_id(streams::kWalkers));
  if (any_interrupted()) return false;
  pool_.start(std::move(samples));
  energies_ += options_.walkers;
  return true;
}

bool Refinement::warm_up() {
  const std::int64_t moves = std::min(kMovesInSweep, options_.warm_up - warm_up_moves_);
  accepted_ = pool_.relax(moves, static_cast<std::uint64_t>(warm_up_moves_));
  if (any_interrupted()) return false;
  warm_up_moves_ += moves;
  energies_ += moves * options_.walkers;
  return true;
}

// Fresh samples, to look at and to propose to the walkers.
bool Refinement::draw(RefinementRound& round) {
  const auto number = static_cast<std::uint64_t>(round.round);
  const Generator now = generator();
  const auto fresh = sample(now, options_.samples, stream_id(streams::kRefine, number));
  if (any_interrupted()) return false;
  round.weights = weights_of(fresh);
  round.exchanged = pool_.exchange(fresh, AutoregressiveProposal(now, decoding()), round.round);
  round.moved = pool_.relax(options_.moves, stream_id(streams::kRefineRound, number));
  round.energies = energies_ + options_.samples + options_.moves * options_.walkers;
  return !any_interrupted();
}

bool Refinement::advance(
    const std::function<void(const RefinementRound&, std::int64_t steps)>& on_step) {
  require(warmed_up(), "expected walkers that have been warmed up before the first round");
  RefinementRound round;
  round.round = std::ssize(history_);
  if (!draw(round)) return false;
  for (std::int64_t step = 0; step < options_.steps; ++step) {
    if (any_interrupted()) return false;
    const nn::StepReport report = trainer_.train_step();
    round.nats += report.nats_per_coordinate / static_cast<double>(options_.steps);
    round.variance += report.variance / static_cast<double>(options_.steps);
    if (on_step) on_step(round, step + 1);
  }
  nn::require_same_weights(trainer_);
  round.seconds = seconds();
  energies_ = round.energies;
  history_.push_back(round);
  return true;
}

bool Refinement::done() const {
  std::vector<double> ess;
  for (const RefinementRound& round : history_) ess.push_back(round.weights.ess_fraction);
  return std::ssize(history_) >= options_.rounds ||
         enough_rounds(ess, options_.until, options_.patience);
}

std::optional<metrics::WeightSummary> Refinement::judge(std::int64_t samples) const {
  const auto fresh = sample(generator(), samples, stream_id(streams::kRefined));
  if (any_interrupted()) return {};
  return weights_of(fresh);
}

RefinementState Refinement::state() const {
  return {history_,  warm_up_moves_, energies_,
          seconds(), pool_.eps(),    pool_.walkers().samples.coordinates};
}

nn::Checkpoint Refinement::checkpoint() const {
  nn::Checkpoint out = trainer_.checkpoint();
  out.bins = head_.bins();
  out.description = description_;
  return out;
}

}  // namespace arbg::sampling
