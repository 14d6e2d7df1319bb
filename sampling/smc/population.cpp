#include "sampling/smc/population.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>

#include "sampling/proposals/shared_samples.h"
#include "tensor/base/error.h"
#include "tensor/base/interrupt.h"
#include "tensor/device/for_each_on.h"

namespace arbg::sampling {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Distinct ancestors of the particles that have a weight, over all.
double share_of(std::span<const std::int32_t> ancestor, std::span<const double> log_weight) {
  std::set<std::int32_t> alive;
  for (std::size_t i = 0; i < ancestor.size(); ++i) {
    if (log_weight[i] > -kInfinity) alive.insert(ancestor[i]);
  }
  return static_cast<double>(alive.size()) / static_cast<double>(ancestor.size());
}

}  // namespace

std::int64_t first_particle(std::int64_t count, std::int64_t populations, std::int64_t p) {
  return p * (count / populations) + std::min(p, count % populations);
}

void SmcOptions::check() const {
  require(populations >= 1 && count >= populations,
          "sequential Monte Carlo needs at least 1 population of at least 1 particle, got ",
          populations, " of ", count, " particles together");
  require(ess_threshold >= 0 && ess_threshold <= 1,
          "the threshold of the effective sample size is a share from 0 to 1, got ", ess_threshold);
}

std::vector<double> log_z_of_populations(std::span<const double> log_weight,
                                         std::int64_t populations) {
  const auto count = static_cast<std::int64_t>(log_weight.size());
  require(populations >= 1 && count >= populations, "expected weights of ", populations,
          " populations, found ", count, " weights");
  std::vector<double> out;
  for (std::int64_t p = 0; p < populations; ++p) {
    const auto first = static_cast<std::size_t>(first_particle(count, populations, p)),
               end = static_cast<std::size_t>(first_particle(count, populations, p + 1));
    out.push_back(metrics::log_mean_weight(log_weight.subspan(first, end - first)));
  }
  return out;
}

metrics::WeightSummary summarise(std::span<const double> log_weight, std::int64_t populations) {
  auto summary = metrics::summarise_weights(log_weight);
  if (populations == 0) return summary;
  summary.pareto_k = std::numeric_limits<double>::quiet_NaN();
  summary.log_z_error =
      metrics::summarise_weights(log_z_of_populations(log_weight, populations)).log_z_error;
  return summary;
}

double SmcPopulation::ancestor_share() const { return share_of(ancestor, log_weight); }

ParticleWeights::ParticleWeights(std::int64_t particles, const SmcOptions& options,
                                 const Random& random)
    : threshold_(options.ess_threshold),
      scheme_(options.resampling),
      random_(random),
      log_weight_(static_cast<std::size_t>(particles), 0),
      ancestor_(log_weight_.size()) {
  std::iota(ancestor_.begin(), ancestor_.end(), 0);
}

void ParticleWeights::multiply(std::span<const double> log_factors) {
  for (std::size_t i = 0; i < log_weight_.size(); ++i) {
    if (log_weight_[i] > -kInfinity) log_weight_[i] += log_factors[i];
  }
}

std::vector<std::int64_t> ParticleWeights::close_stage(SmcStage& stage) {
  stage.ess_fraction = metrics::ess_fraction(log_weight_);
  stage.resampled = stage.ess_fraction > 0 && stage.ess_fraction < threshold_;
  std::vector<std::int64_t> from;
  if (stage.resampled) {
    const std::int64_t count = std::ssize(log_weight_);
    from = resample(scheme_, log_weight_, count, random_, next_draw_);
    next_draw_ += static_cast<std::uint64_t>(count) + 1;
    std::ranges::fill(log_weight_, metrics::log_mean_weight(log_weight_));
    const auto before = ancestor_;
    for (std::size_t i = 0; i < from.size(); ++i) {
      ancestor_[i] = before[static_cast<std::size_t>(from[i])];
    }
  }
  stage.ancestors = share_of(ancestor_, log_weight_);
  return from;
}

namespace {

// One population after the other comes to the first rank.
std::vector<SmcPopulation> gather_at_first(const std::vector<SmcPopulation>& own,
                                           const SmcOptions& options) {
  const Ranks& ranks = *options.ranks;
  const Share share = ranks.share(options.populations);
  std::vector<SmcPopulation> all;
  for (std::int64_t p = 0; p < options.populations; ++p) {
    const bool here = p >= share.first && p < share.last;
    const SmcPopulation none;
    const SmcPopulation& from = here ? own[static_cast<std::size_t>(p - share.first)] : none;
    std::vector<std::int64_t> counted;
    if (here) counted = {from.energies, from.partial_energies, from.densities};
    SmcPopulation to;
    to.samples = gather_at_first(from.samples, ranks);
    to.reduced_energy = ranks.gather_at_first(std::span(from.reduced_energy));
    to.log_weight = ranks.gather_at_first(std::span(from.log_weight));
    to.ancestor = ranks.gather_at_first(std::span(from.ancestor));
    to.stages = ranks.gather_at_first(std::span(from.stages));
    counted = ranks.gather_at_first(std::span<const std::int64_t>(counted));
    if (!ranks.is_first()) continue;
    to.energies = counted[0];
    to.partial_energies = counted[1];
    to.densities = counted[2];
    all.push_back(std::move(to));
  }
  return all;
}

}  // namespace

std::vector<SmcPopulation> run_populations(
    tensor::Device device, const SmcOptions& options, std::int64_t stages,
    const std::function<SmcPopulation(std::int64_t p, const std::function<void()>& stage_done)>&
        body) {
  const Ranks& ranks = *options.ranks;
  const Share own = ranks.share(options.populations);
  std::mutex mutex;
  std::int64_t done = 0;
  const auto stage_done = [&] {
    const std::lock_guard lock(mutex);
    ++done;
    if (options.on_progress) options.on_progress(done, stages * own.count());
  };
  std::vector<std::optional<SmcPopulation>> finished(static_cast<std::size_t>(own.count()));
  tensor::for_each_on(device, own.count(), [&](std::int64_t i) {
    if (interrupted()) return;
    SmcPopulation population = body(own.first + i, stage_done);
    if (!interrupted()) finished[static_cast<std::size_t>(i)] = std::move(population);
  });
  std::vector<SmcPopulation> out;
  for (auto& population : finished) {
    if (!population) break;
    out.push_back(std::move(*population));
  }
  if (ranks.count() == 1) return out;
  if (ranks.any(interrupted())) return {};
  return gather_at_first(out, options);
}

}  // namespace arbg::sampling
