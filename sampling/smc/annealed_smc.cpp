#include "sampling/smc/annealed_smc.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sampling/smc/hamiltonian_move.h"
#include "tensor/base/error.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/streams.h"

namespace arbg::sampling {
namespace {

constexpr double kFirstStep = 0.5, kSmallestStep = 1e-3, kLargestStep = 2;
constexpr double kFinest = 1e-6;          // of b, between rungs
constexpr int kLeastPilotMoves = 4;       // a rung: the step has to settle
constexpr std::int64_t kLeastPilot = 64;  // particles: fewer say little of the ladder

// Particles, their weights and their random numbers; unfinished once interrupted().
class Annealing {
 public:
  Annealing(const Proposal& proposal, const Potential& potential, const SmcOptions& options,
            std::string_view purpose, std::int64_t p)
      : proposal_(proposal),
        potential_(potential),
        options_(options),
        purpose_(purpose),
        population_(p),
        particles_(options.particles(p)),
        weights_(particles_, options, random("resampling", 0)) {
    const Random draws = random("draws", 0);
    SampleOptions draw;
    draw.count = particles_;
    draw.seed = draws.seed();
    draw.stream = draws.stream();
    Samples samples = proposal.draw(draw);
    if (samples.count() < particles_) return;  // interrupted
    walkers_ = make_walkers(std::move(samples), proposal.map(), potential);
    energies_ = particles_;
  }

  // log (pi~ / q) of every particle.
  std::vector<double> log_ratio() const {
    std::vector<double> out;
    for (std::size_t i = 0; i < walkers_.u.size(); ++i) {
      out.push_back(walkers_.log_target(i) - walkers_.samples.log_q[i]);
    }
    return out;
  }

  void climb(double from, double to) {
    auto factors = log_ratio();
    for (double& value : factors) value *= to - from;
    weights_.multiply(factors);
    SmcStage stage;
    stage.at = to;
    const auto chosen = weights_.close_stage(stage);
    if (!chosen.empty()) walkers_.select(chosen, proposal_.map());
    stages_.push_back(stage);
  }

  // One move at the rung climbed last. Its step varies from move to move, so that no coordinate
  // comes back to its start after a whole period each time.
  MoveShares move(Leapfrog leapfrog) {
    const double b = stages_.back().at;
    leapfrog.eps *= 0.8 + 0.4 * random("step", ++moves_).uniform(0);
    const MoveShares shares =
        hamiltonian_move(walkers_, proposal_, potential_, b, leapfrog, random("move", moves_));
    energies_ += particles_ * leapfrog.steps;
    densities_ += shares.densities;
    return shares;
  }

  SmcStage& stage() { return stages_.back(); }
  const Walkers& walkers() const { return walkers_; }
  const std::vector<double>& log_weight() const { return weights_.log_weight(); }

  SmcPopulation result() && {
    SmcPopulation out;
    out.samples = std::move(walkers_.samples);
    out.reduced_energy = std::move(walkers_.u);
    out.log_weight = weights_.log_weight();
    out.ancestor = weights_.ancestor();
    out.stages = std::move(stages_);
    out.energies = energies_;
    out.densities = densities_;
    return out;
  }

 private:
  Random random(std::string_view what, std::uint64_t k) const {
    const std::string name =
        std::string(streams::kAnnealed) + purpose_ + " " + std::string(what) + " ";
    return {options_.seed, stream_id(name + std::to_string(population_), k)};
  }

  const Proposal& proposal_;
  const Potential& potential_;
  const SmcOptions& options_;
  std::string purpose_;
  std::int64_t population_, particles_;
  std::uint64_t moves_ = 0;
  ParticleWeights weights_;
  Walkers walkers_;
  std::vector<SmcStage> stages_;
  std::int64_t energies_ = 0, densities_ = 0;
};

// (sum W v)^2 / sum W v^2 for incremental weights v = exp(step log_ratio), W normalised: 1 where
// all are alike. Particles outside of the target's support do not count: however small the step is,
// they have no weight after it.
double conditional_ess(std::span<const double> log_weight, std::span<const double> log_ratio,
                       double step) {
  std::vector<double> none(log_weight.begin(), log_weight.end()), once = none, twice = none;
  for (std::size_t i = 0; i < none.size(); ++i) {
    if (std::isinf(log_ratio[i])) none[i] = once[i] = twice[i] = -INFINITY;
    if (std::isinf(none[i])) continue;
    once[i] += step * log_ratio[i];
    twice[i] += 2 * step * log_ratio[i];
  }
  return std::exp(2 * metrics::log_mean_weight(once) - metrics::log_mean_weight(twice) -
                  metrics::log_mean_weight(none));
}

// The next rung: as far as the conditional ESS allows.
double next_rung(double b, std::span<const double> log_weight, std::span<const double> log_ratio,
                 double least) {
  if (conditional_ess(log_weight, log_ratio, 1 - b) >= least) return 1;
  double low = 0, high = 1 - b;
  while (high - low > kFinest) {
    const double middle = (low + high) / 2;
    (conditional_ess(log_weight, log_ratio, middle) >= least ? low : high) = middle;
  }
  return b + high;
}

}  // namespace

AnnealingPlan plan_annealing(const Proposal& proposal, const Potential& potential,
                             const AnnealingOptions& annealing, const SmcOptions& options) {
  options.check();
  require(annealing.moves >= 1, "annealing needs at least 1 move at each rung, got ",
          annealing.moves);
  require(annealing.leapfrog_steps >= 1, "a move needs at least 1 leapfrog step, got ",
          annealing.leapfrog_steps);
  require(annealing.conditional_ess > 0 && annealing.conditional_ess < 1,
          "the conditional effective sample size of a rung is a share between 0 and 1, got ",
          annealing.conditional_ess);
  SmcOptions alone = options;
  alone.populations = 1;
  alone.count = std::max(options.particles(0), kLeastPilot);
  Annealing pilot(proposal, potential, alone, "pilot", 0);
  AnnealingPlan plan;
  if (interrupted()) return plan;
  require(metrics::log_mean_weight(pilot.log_ratio()) > -INFINITY, "none of the ", alone.count,
          " particles of the pilot lies in the target's support: train the model for longer");
  plan.moves = annealing.moves;
  plan.leapfrog_steps = annealing.leapfrog_steps;
  plan.lengths = move_lengths(pilot.walkers(), proposal.map());
  double b = 0, eps = kFirstStep;
  while (b < 1 && !interrupted()) {
    require(std::ssize(plan.b) < annealing.most_rungs, "after ", annealing.most_rungs,
            " rungs the pilot is at b = ", b,
            " only: ask for a smaller conditional effective share, now ",
            annealing.conditional_ess);
    const double next =
        next_rung(b, pilot.log_weight(), pilot.log_ratio(), annealing.conditional_ess);
    pilot.climb(b, next);
    for (int m = 0; m < std::max(annealing.moves, kLeastPilotMoves) && !interrupted(); ++m) {
      const double conserved = pilot.move({eps, plan.leapfrog_steps, plan.lengths}).conserved;
      eps =
          std::clamp(eps * std::exp(conserved - annealing.conserved), kSmallestStep, kLargestStep);
    }
    plan.b.push_back(b = next);
    plan.eps.push_back(eps);
    if (annealing.on_rung) annealing.on_rung(b, std::ssize(plan.b));
  }
  const SmcPopulation done = std::move(pilot).result();
  plan.energies = done.energies;
  plan.densities = done.densities;
  return plan;
}

std::vector<SmcPopulation> sample_annealed(const Proposal& proposal, const Potential& potential,
                                           const AnnealingPlan& plan, const SmcOptions& options) {
  options.check();
  require(!plan.b.empty() && plan.b.back() == 1 && plan.eps.size() == plan.b.size(),
          "the annealing plan does not lead to b = 1");
  return run_populations(
      proposal.device(), options, std::ssize(plan.b),
      [&](std::int64_t p, const std::function<void()>& stage_done) {
        Annealing annealing(proposal, potential, options, "population", p);
        double b = 0;
        for (std::size_t l = 0; l < plan.b.size() && !interrupted(); ++l) {
          annealing.climb(b, plan.b[l]);
          b = plan.b[l];
          for (int m = 0; m < plan.moves && !interrupted(); ++m) {
            annealing.stage().acceptance +=
                annealing.move({plan.eps[l], plan.leapfrog_steps, plan.lengths}).accepted /
                plan.moves;
          }
          stage_done();
        }
        return std::move(annealing).result();
      });
}

}  // namespace arbg::sampling
