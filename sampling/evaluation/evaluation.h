// Weighted samples against reference conformations: every figure of the published tables, with its
// floor.
//
// Distances compare `points` samples, drawn from the weights by systematic resampling, with as many
// reference frames, evenly spaced. The floor is the same distance between the two halves of the
// reference, split by independent replicas.
#pragma once

#include <array>
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

namespace arbg::sampling {

struct Distance {
  double weighted = 0,
         raw = 0;    // reference against reweighted samples, and against samples as drawn
  double floor = 0;  // reference against reference
};

struct Angles {
  std::vector<double> phi, psi;  // radians, one a sample
};

// A basin of a residue (metrics/conformations/ramachandran.h), by all samples and all frames.
struct BasinFigures {
  metrics::Interval samples, reference;  // shares
  // Free energies in kT above the residue's basin that most frames are in: -log(share / its share).
  // The difference is that of samples less that of the reference, drawn independently. What reaches
  // 20 kT in a draw of the bootstrap, as an empty basin does, is infinite.
  metrics::Interval samples_kt, reference_kt, difference_kt;
};

// Of a residue that has both. Intervals of 95 % by bootstrap over a hundred parts of the samples or
// over populations, and over replicas, where these are ten or more, effectively. Low and high are
// NaN where they are not, and for frames without weights of one replica.
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
  // The same with intervals: over parts of the samples against the frames as they are, over the
  // replicas of the first half of the reference against the second, and of the first less the
  // second. A divergence of a draw is larger than that of all: a limit is compared with a limit.
  metrics::Interval of_samples, of_floor, above_floor;
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
  double trim = 0;                 // share of the largest weights that were dropped, if any: then
  metrics::WeightSummary trimmed;  // the same figures without them, as are the distances
  Decoding decoding;               // of the samples
  std::size_t points = 0;          // samples a side in the distances
  Distance energy_w2_kt, torsion_w2_rad;
  std::vector<ResidueAngles> angles;
  Agreement agreement;  // of the reference's replicas
  SlowMotions slow;
  std::vector<Spread> spreads;
  std::optional<Folding> folding;  // where a structure is given
  std::vector<double> weight;      // normalised, one a sample

  // Where the model is at hand: held-out frames of the reference seen by the model. On frames that
  // it was trained on q is too large, and log Z from them too small.
  std::int64_t likelihood_frames = 0;  // 0: no model
  double reference_nats = 0;           // -log q per coordinate, in nats of density
  std::int64_t reference_outside = 0;  // frames outside the support
  double reverse_ess_fraction = 0;
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
Evaluation evaluate(const WeightedEnsemble& samples, const ReferenceEnsemble& reference,
                    const Generator* model, const EvaluationOptions& options);

}  // namespace arbg::sampling
