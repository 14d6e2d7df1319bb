// Weighted samples against reference conformations: every figure of the published tables, with its
// floor.
//
// Distances compare `points` samples, drawn from the weights by systematic resampling, with as many
// reference frames, evenly spaced. The floor is the same distance between the two halves of the
// reference, split by independent replicas.
//
// Intervals are of 95 %, by bootstrap over independent parts: a hundred parts of the samples or
// their populations, and the replicas of dynamics (parts.h). Where these are fewer than ten on one
// side, effectively, there is none: low and high are NaN. Of a distance it is where that of as many
// points of runs done again lies on average: it does not hold what more points would bring it down
// to, and is compared with the interval of the floor (metrics/statistics/potentials.h: near the
// floor it is wider than it need be). No interval have: the largest weight and k-hat, which hang on
// the few heaviest samples, that no draw of the same samples renews; time scales, whose motions
// would be fitted anew. log Z and Bennett's have standard errors; of Bennett's, frames count as
// independent.
#pragma once

#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "metrics/conformations/ramachandran.h"
#include "metrics/statistics/bootstrap.h"
#include "metrics/weights/bennett.h"
#include "metrics/weights/weights.h"
#include "sampling/evaluation/agreement.h"
#include "sampling/evaluation/ensembles.h"
#include "sampling/evaluation/slow_components.h"
#include "sampling/proposals/generator.h"
#include "tensor/base/ranks.h"

namespace arbg::sampling {

struct Distance {
  metrics::Interval weighted, raw;  // reference against reweighted samples, and as drawn
  metrics::Interval floor;          // reference against reference

  bool has_intervals() const { return !std::isnan(weighted.low) && !std::isnan(floor.low); }
  bool is_above_floor() const { return weighted.low > floor.high; }  // both intervals say so
};

struct Angles {
  std::vector<double> phi, psi;  // radians, one a sample
};

// A basin of a residue (metrics/conformations/ramachandran.h), by all samples and all frames.
struct BasinFigures {
  metrics::Interval samples, reference;  // shares
  // Free energies in kT above the residue's basin that most frames are in: -log(share / its share).
  // The difference is that of samples less that of the reference, drawn independently. That of an
  // empty basin is infinite, and its interval begins where its share is the most that may be in a
  // basin no draw has met (most_unseen(), parts.h): of as many draws as samples are effective, or
  // dynamics has replicas. It knows nothing of basins that the model never reaches. A limit is
  // infinite where a draw of the bootstrap reaches 20 kT. NaN: empty on both sides.
  metrics::Interval samples_kt, reference_kt, difference_kt;
};

// Of a residue that has both.
struct ResidueAngles {
  std::string residue;  // "ALA2"
  Angles samples, reference;
  Distance total_variation;  // of the points of the distances, in 60 x 60 cells
  std::array<BasinFigures, metrics::kBasins> basins;
  std::size_t lowest = 0;  // the basin that most frames are in
};

// How one number of a conformation, or one kind of number, is spread over samples and reference, at
// the points of the distances (spreads.h).
struct Spread {
  std::string group, name;                        // "chi", "chi1 TYR2"
  std::string unit;                               // "nm", "degrees" or ""
  std::vector<double> edges;                      // of the cells in which they are compared
  std::vector<double> samples, drawn, reference;  // mass in each: of all but what lies outside
  Distance jsd;  // Jensen-Shannon divergence to base 2, from 0 (equal) to 1
};

// Conformations near a given structure: with a C-alpha RMSD below a limit.
struct Folding {
  double limit_nm = 0;
  metrics::Interval samples, reference, difference;  // shares, of all samples and all frames
  double drawn = 0;
};

// How samples are spread over the slowest motions of the reference, in the plane of the first two
// (slow_components.h). `why_not`: without them, the reason.
struct SlowMotions {
  std::string why_not;
  std::optional<SlowComponents> components;  // of which the following are
  Distance w2, jsd;
  std::vector<double> timescales;          // of the components, in frames: -lag / log |lambda|
  std::vector<double> samples, reference;  // [B, 2], [frames, 2]
};

struct Evaluation {
  std::int64_t populations = 0;  // of sequential Monte Carlo; 0: independent samples
  WeightKind weight_kind = WeightKind::absolute;  // none: no figure of weights means anything
  metrics::WeightSummary weights;                 // raw; summarise() of population.h
  // Of the effective samples' share, raw. None where the mean of w^2 has no finite variance to draw
  // from: its k-hat, pareto_k(2 log w), is 0.7 or more.
  metrics::Interval ess_fraction;
  double trim = 0;                 // share of the largest weights that were dropped, if any: then
  metrics::WeightSummary trimmed;  // the same figures without them, as are the distances
  Decoding decoding;               // of the samples
  std::size_t points = 0;          // samples a side in the distances
  Distance energy_w2_kt, torsion_w2_rad;
  Distance total_variation;  // mean of the residues'
  std::vector<ResidueAngles> angles;
  Agreement agreement;  // of the reference's replicas
  SlowMotions slow;
  std::vector<Spread> spreads;
  std::optional<Folding> folding;  // where a structure is given
  std::vector<double> weight;      // normalised, one a sample

  // Where the model is at hand: held-out frames of the reference seen by the model. On frames that
  // it was trained on q is too large, and log Z from them too small.
  std::int64_t likelihood_frames = 0;      // 0: no model
  metrics::Interval reference_nats;        // -log q per coordinate, in nats of density
  std::int64_t reference_outside = 0;      // frames outside the support
  metrics::Interval reverse_ess_fraction;  // none where a frame is outside, or w or 1/w too wide
  std::optional<metrics::BennettEstimate> bennett;
};

struct EvaluationOptions {
  std::size_t points = 4000;
  double held_out = kHeldOut;  // 1: the model has not been trained on the reference
  std::uint64_t seed = 1;
  double trim = 0;  // drops ceil(trim B) weights: biased, for comparison
  // As the published tables: multinomial resampling, against the first frames of the reference
  // instead of evenly spaced ones.
  bool published = false;
  TicaOptions tica;                          // lag 0: no slow motions
  std::optional<SlowComponents> components;  // in place of fitted ones
  std::vector<double> structure_nm;          // C-alphas [residues, 3] that Folding is of; or none
  double folded_nm = 0.2;
  bool only_distances = false;  // E-W2 and T-W2, and the weights
  // Told, if it is there, before each part of the work: which share of it is done, and what comes.
  std::function<void(double done, const char* next)> progress;
};

// Atoms of both are in the order of the reference's topology. `model`, which drew the samples, may
// be null: then nothing is said of the reference's likelihood. Throws Error if the reference has no
// energies, and for fewer than two points, two samples or four frames.
//
// Several ranks do it together, all with the same ensembles: they share T-W2 with its floor and the
// likelihoods. The first alone has all of the result; the others have the weights, E-W2 and that.
Evaluation evaluate(const WeightedEnsemble& samples, const ReferenceEnsemble& reference,
                    const Generator* model, const EvaluationOptions& options,
                    const Ranks& ranks = Ranks::alone());

}  // namespace arbg::sampling
