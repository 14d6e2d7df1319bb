// Populations of weighted particles: what every kind of sequential Monte Carlo gives back.
//
// A particle's weight is kept such that the mean weight of a population estimates Z at every stage:
// w is multiplied by incremental weights G, and resampling sets every w to their mean, so that
//
//   log Z = log mean w = sum over stages of log (sum_i W_i G_i),   E[mean w] = Z exactly.
//
// Populations are independent of each other: their scatter is the standard error, and particles of
// all of them together, with these weights, average to expectations under the target.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "metrics/weights/weights.h"
#include "sampling/proposals/proposal.h"
#include "sampling/smc/resampling.h"
#include "tensor/base/ranks.h"

namespace arbg::sampling {

// Where population p begins among `count` particles that `populations` share out: sizes differ by
// at most one, the larger populations come first.
std::int64_t first_particle(std::int64_t count, std::int64_t populations, std::int64_t p);

struct SmcOptions {
  std::int64_t populations = 20;
  std::int64_t count = 20000;  // particles of all populations together
  double ess_threshold = 0.5;  // resampled when ESS / particles is below; 0: never
  Resampling resampling = Resampling::systematic;
  std::uint64_t seed = 1;
  const Ranks* ranks = &Ranks::alone();  // who share the populations
  // From any thread, one call at a time: stages done in all populations of this rank, of how many.
  std::function<void(std::int64_t done, std::int64_t of)> on_progress;

  // Without resampling no particle is a copy of another: importance sampling, annealed or not.
  bool independent() const { return ess_threshold == 0; }
  void check() const;                             // throws Error, naming what is out of its range
  std::int64_t particles(std::int64_t p) const {  // of population p
    return first_particle(count, populations, p + 1) - first_particle(count, populations, p);
  }
};

struct SmcStage {
  double at = 0;            // twisted: atoms placed; annealed: b
  double ess_fraction = 1;  // before resampling
  double ancestors = 1;     // share of the first particles that have descendants
  double acceptance = 0;    // of the stage's moves, where there are any
  bool resampled = false;
};

struct SmcPopulation {
  Samples samples;
  std::vector<double> reduced_energy;  // u [P]
  std::vector<double> log_weight;      // [P]; the mean weight estimates Z
  std::vector<std::int32_t> ancestor;  // [P], which of the first P particles it descends from
  std::vector<SmcStage> stages;
  std::int64_t energies = 0;          // evaluations of u, of whole conformations
  std::int64_t partial_energies = 0;  // of U of the atoms placed so far
  std::int64_t densities = 0;         // log q by Proposal::log_density

  double log_z() const { return metrics::log_mean_weight(log_weight); }
  double ancestor_share() const;  // distinct ancestors of particles with a weight, over P
};

// log Z of each of `populations`, whose weights stand one after the other, shared out by
// first_particle(). Throws Error if there are fewer weights than populations. The mean of all
// weights is unbiased for Z whatever the sizes; the scatter of these, of which each counts the
// same, gives its error, at sizes that differ by one a little too large.
std::vector<double> log_z_of_populations(std::span<const double> log_weight,
                                         std::int64_t populations);

// The figures of such weights; of independent samples where `populations` is 0. Otherwise the error
// of log Z is that of their scatter, NaN of a single one, and there is no k-hat (NaN): particles of
// one population are not independent.
metrics::WeightSummary summarise(std::span<const double> log_weight, std::int64_t populations);

// The weights and ancestors of particles while they move; their coordinates are the caller's.
class ParticleWeights {
 public:
  ParticleWeights(std::int64_t particles, const SmcOptions& options, const Random& random);

  void multiply(std::span<const double> log_factors);  // -infinity stays -infinity
  // The stage's ESS; if it is below the threshold, indices of the particles to go on with (else
  // none). A population whose weights are all 0 is left as it is: it estimates Z by 0.
  std::vector<std::int64_t> close_stage(SmcStage& stage);

  const std::vector<double>& log_weight() const { return log_weight_; }
  const std::vector<std::int32_t>& ancestor() const { return ancestor_; }

 private:
  double threshold_;
  Resampling scheme_;
  Random random_;
  std::uint64_t next_draw_ = 0;
  std::vector<double> log_weight_;
  std::vector<std::int32_t> ancestor_;
};

// Runs body(p, stage_done) for every population, in threads where the device is the host. After an
// interrupt the populations that were complete up to the first gap; what body returns then is
// thrown away. `stages` of each are announced by stage_done(). Of several ranks, which call it
// together, the first has the populations of all, the others have none, and after an interrupt all
// have none.
std::vector<SmcPopulation> run_populations(
    tensor::Device device, const SmcOptions& options, std::int64_t stages,
    const std::function<SmcPopulation(std::int64_t p, const std::function<void()>& stage_done)>&
        body);

}  // namespace arbg::sampling
