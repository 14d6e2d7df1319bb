#include "sampling/evaluation/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "metrics/statistics/potentials.h"
#include "metrics/transport/wasserstein.h"
#include "sampling/evaluation/backbone.h"
#include "sampling/evaluation/compared_rows.h"
#include "sampling/evaluation/parts.h"
#include "sampling/evaluation/spreads.h"
#include "sampling/smc/population.h"
#include "sampling/targets/target.h"
#include "tensor/base/error.h"

namespace arbg::sampling {
namespace {

// Above it the mean of what has this tail is not reliable (metrics/weights/weights.h).
constexpr double kHeavy = 0.7;

// exp(scale (log w - largest)) of each, which is 0 where a weight is.
std::vector<double> powers(std::span<const double> log_weight, double scale) {
  double largest = -std::numeric_limits<double>::infinity();
  for (const double log_w : log_weight) largest = std::max(largest, scale * log_w);
  std::vector<double> out;
  for (const double log_w : log_weight) out.push_back(std::exp(scale * log_w - largest));
  return out;
}

std::vector<double> scaled(std::span<const double> values, double factor) {
  std::vector<double> out;
  for (const double value : values) out.push_back(factor * value);
  return out;
}

// Scaled so that its estimate is this one.
metrics::Interval scaled_to(double estimate, const metrics::Interval& found) {
  if (!(found.estimate > 0)) return without_interval(estimate);
  const double factor = estimate / found.estimate;
  return {estimate, factor * found.low, factor * found.high};
}

// Of (sum a)^2 / (sum b sum c), as both kinds of ESS are; a, b and c to any scale, a number a unit.
metrics::Interval ess_interval(double fraction, const std::vector<double>& a,
                               const std::vector<double>& b, const std::vector<double>& c,
                               const std::vector<double>& whole, std::uint64_t seed) {
  const metrics::Statistic share = [&](std::span<const std::size_t> units) {
    double of_a = 0, of_b = 0, of_c = 0;
    for (const std::size_t unit : units) {
      of_a += a[unit];
      of_b += b[unit];
      of_c += c[unit];
    }
    return of_b * of_c > 0 ? of_a * of_a / (of_b * of_c) : 0;
  };
  return scaled_to(fraction, interval_over(whole, share, seed));
}

metrics::Interval forward_ess_interval(const WeightedEnsemble& samples, double fraction,
                                       std::uint64_t seed) {
  const auto squares = scaled(samples.log_weight, 2);
  if (!(metrics::pareto_k(squares) < kHeavy)) return without_interval(fraction);
  const Parts parts = parts_of(samples);
  const auto w = parts.sum(powers(samples.log_weight, 1)),
             ww = parts.sum(powers(samples.log_weight, 2)), whole = parts.sum({});
  return ess_interval(fraction, w, ww, whole, whole, seed);
}

SlowMotions slow_motions(const WeightedEnsemble& samples, const ReferenceEnsemble& reference,
                         const Points& at, const EvaluationOptions& options) {
  SlowMotions out;
  try {
    out.components = options.components
                         ? *options.components
                         : fit_slow_components(reference, options.tica, options.seed);
  } catch (const Error& error) {
    out.why_not = error.what();
    return out;
  }
  const SlowComponents& fitted = *out.components;
  for (const double lambda : fitted.tica.eigenvalues)
    out.timescales.push_back(-static_cast<double>(fitted.tica.lag) / std::log(std::abs(lambda)));
  out.samples = project(fitted, reference.topology.atoms.size(), samples.positions_nm);
  out.reference = project(fitted, reference.topology.atoms.size(), reference.positions_nm);
  const auto measure = [&](const auto& of) {
    return with_intervals(measure_three(out.samples, out.reference, kSlowComponents, at, of), at);
  };
  out.w2 = measure([](const std::vector<double>& a, const std::vector<double>& b) {
    return measured_square(metrics::wasserstein2_space(a, b, kSlowComponents).potentials);
  });
  out.jsd = measure([&](const std::vector<double>& a, const std::vector<double>& b) {
    return measured_cells(metrics::nearest_centres(fitted.clusters, a),
                          metrics::nearest_centres(fitted.clusters, b), fitted.clusters.count(), 1,
                          metrics::divergence_potentials);
  });
  return out;
}

// Of rows of z [B, K], at every rank.
std::vector<double> shared_log_density(const Generator& model, std::span<const double> z,
                                       const Decoding& decoding, const Ranks& ranks) {
  const auto width = static_cast<std::size_t>(model.map().size());
  const Share share = ranks.share(static_cast<std::int64_t>(z.size() / width));
  const auto own = z.subspan(static_cast<std::size_t>(share.first) * width,
                             static_cast<std::size_t>(share.count()) * width);
  return ranks.gather(std::span<const double>(model.log_density(own, decoding)));
}

// Over replicas.
metrics::Interval reverse_ess_interval(std::span<const double> log_w, const Parts& replicas,
                                       std::uint64_t seed) {
  const double fraction = metrics::reverse_ess_fraction(log_w);
  if (fraction == 0 || !(metrics::pareto_k(log_w) < kHeavy) ||
      !(metrics::pareto_k(scaled(log_w, -1)) < kHeavy))
    return without_interval(fraction);
  const auto w = replicas.sum(powers(log_w, 1)), inverse = replicas.sum(powers(log_w, -1)),
             whole = replicas.sum({});
  return ess_interval(fraction, whole, w, inverse, whole, seed);
}

void add_reference_likelihood(Evaluation& out, const WeightedEnsemble& samples,
                              const ReferenceEnsemble& reference, const Generator& model,
                              const EvaluationOptions& options, const Ranks& ranks) {
  const auto atoms = static_cast<std::size_t>(3 * reference.topology.atom_count());
  const auto frames = held_out_frames(reference.frames(), reference.replicas, options.held_out);
  const auto encoded = model.encode(pick(reference.positions_nm, frames, atoms), options.seed);
  const auto of = [&](const Decoding& decoding) {
    return shared_log_density(model, encoded.coordinates, decoding, ranks);
  };
  const auto log_q = of({});
  const auto decoded_log_q = samples.decoding == Decoding{} ? log_q : of(samples.decoding);
  const auto log_w =
      log_weights(pick(reference.reduced_energy, frames), encoded.log_volume, decoded_log_q);
  const Parts replicas = replicas_of(reference.frames(), reference.replicas).of_rows(frames);
  std::vector<double> nats, inside;
  for (const double value : log_q) {
    const bool is_inside = std::isfinite(value);
    nats.push_back(is_inside ? -value / model.map().size() : 0);
    inside.push_back(is_inside ? 1 : 0);
  }
  const Ratio mean_nats(replicas.sum(nats), replicas.sum(inside));
  out.likelihood_frames = std::ssize(frames);
  out.reference_outside = encoded.outside;
  out.reference_nats = interval_over(mean_nats.whole, mean_nats.statistic(), options.seed);
  out.reverse_ess_fraction = reverse_ess_interval(log_w, replicas, options.seed);
  out.bennett = metrics::bennett_log_z(samples.log_weight, log_w);
}

}  // namespace

Evaluation evaluate(const WeightedEnsemble& samples, const ReferenceEnsemble& reference,
                    const Generator* model, const EvaluationOptions& options, const Ranks& ranks) {
  require(std::ssize(reference.reduced_energy) == reference.frames(),
          "expected an energy for each of ", reference.frames(), " reference frames, found ",
          reference.reduced_energy.size());
  const auto begin = [&](double done, const char* next) {
    if (options.progress) options.progress(done, next);
  };
  begin(0, "energies and torsions");
  Evaluation out;
  out.decoding = samples.decoding;
  out.populations = samples.populations;
  out.weights = summarise(samples.log_weight, samples.populations);
  out.ess_fraction = forward_ess_interval(samples, out.weights.ess_fraction, options.seed);
  out.trim = options.trim;
  out.weight_kind = samples.weight_kind;
  std::vector<double> log_weight(samples.log_weight.begin(), samples.log_weight.end());
  if (options.trim > 0) {
    log_weight = metrics::trim_largest(samples.log_weight, options.trim);
    out.trimmed = summarise(log_weight, samples.populations);
  }
  out.weight = metrics::normalised_weights(log_weight);

  // As many points a side as the smallest of the sets allows: the halves of the reference are the
  // floor's two sides.
  require(options.points >= 2, "distances need at least 2 points a side, got ", options.points);
  require(samples.count() >= 2 && reference.frames() >= 4,
          "distances need at least 2 samples and 4 reference frames, 2 in each half; found ",
          samples.count(), " and ", reference.frames(), ": draw more samples or run more dynamics");
  const std::int64_t points = std::min(
      {static_cast<std::int64_t>(options.points), samples.count(), reference.frames() / 2});
  const Points at = points_of(samples, log_weight, reference, points, options);
  out.points = static_cast<std::size_t>(points);
  out.energy_w2_kt =
      with_intervals(measure_three(samples.reduced_energy, reference.reduced_energy, 1, at,
                                   [](const std::vector<double>& a, const std::vector<double>& b) {
                                     return measured_square(metrics::line_potentials(a, b));
                                   }),
                     at);

  std::size_t width = 0;
  const auto sample_torsions = torsions_of(reference.topology, samples.positions_nm, width);
  const auto reference_torsions = torsions_of(reference.topology, reference.positions_nm, width);
  if (width > 0) {
    const auto torus = [&](const std::vector<double>& a, const std::vector<double>& b) {
      return measured_square(metrics::wasserstein2_torus(a, b, width).potentials);
    };
    out.torsion_w2_rad = with_intervals(
        measure_three(sample_torsions, reference_torsions, width, at, torus, ranks), at);
  }
  if (options.only_distances) return out;
  begin(0.1, "likelihood of the reference");
  if (model != nullptr) add_reference_likelihood(out, samples, reference, *model, options, ranks);
  if (!ranks.is_first()) return out;
  begin(0.4, "residues");
  out.angles = compare_residues(samples, reference, sample_torsions, reference_torsions, out.weight,
                                at, out.total_variation);
  out.agreement =
      agreement_of(reference_torsions, width, reference.replicas, saves_apart(reference.frames()));
  begin(0.4, "size, side chains, bonds and angles");
  out.spreads = compare_spreads(observables_of(reference.topology, options.structure_nm), samples,
                                reference, at);
  if (!options.structure_nm.empty()) {
    out.folding = compare_folding(options.structure_nm, options.folded_nm, samples, reference,
                                  out.weight, options.seed);
  }
  begin(0.5, "slowest motions");
  if (options.tica.lag > 0 || options.components)
    out.slow = slow_motions(samples, reference, at, options);
  return out;
}

}  // namespace arbg::sampling
