#include "sampling/evaluation/evaluation.h"

#include <algorithm>
#include <cmath>

#include "metrics/statistics/histogram.h"
#include "metrics/transport/wasserstein.h"
#include "sampling/evaluation/backbone.h"
#include "sampling/evaluation/compared_rows.h"
#include "sampling/evaluation/spreads.h"
#include "sampling/smc/population.h"
#include "sampling/targets/target.h"
#include "tensor/base/error.h"

namespace arbg::sampling {
namespace {

Distance energy_distance(std::span<const double> u, std::span<const double> v, const Points& at) {
  return {metrics::wasserstein2_line(pick(u, at.weighted), pick(v, at.reference)),
          metrics::wasserstein2_line(pick(u, at.raw), pick(v, at.reference_of_raw)),
          metrics::wasserstein2_line(pick(v, at.left), pick(v, at.right))};
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
  out.w2 = distances(out.samples, out.reference, kSlowComponents, at,
                     [](const std::vector<double>& a, const std::vector<double>& b) {
                       return metrics::wasserstein2_space(a, b, kSlowComponents).distance;
                     });
  out.jsd = distances(out.samples, out.reference, kSlowComponents, at,
                      [&](const std::vector<double>& a, const std::vector<double>& b) {
                        return metrics::jensen_shannon_divergence(
                            metrics::cluster_shares(fitted.clusters, a, {}),
                            metrics::cluster_shares(fitted.clusters, b, {}));
                      });
  return out;
}

void add_reference_likelihood(Evaluation& out, const WeightedEnsemble& samples,
                              const ReferenceEnsemble& reference, const Generator& model,
                              const EvaluationOptions& options) {
  const auto atoms = static_cast<std::size_t>(3 * reference.topology.atom_count());
  const auto frames = held_out_frames(reference.frames(), reference.replicas, options.held_out);
  const auto encoded = model.encode(pick(reference.positions_nm, frames, atoms), options.seed);
  const auto log_q = model.log_density(encoded.coordinates);
  const auto decoded_log_q = samples.decoding == Decoding{}
                                 ? log_q
                                 : model.log_density(encoded.coordinates, samples.decoding);
  const auto log_w =
      log_weights(pick(reference.reduced_energy, frames), encoded.log_volume, decoded_log_q);
  double sum = 0, inside = 0;
  for (const double value : log_q) {
    if (std::isfinite(value)) sum += value, inside += 1;
  }
  out.likelihood_frames = std::ssize(frames);
  out.reference_outside = encoded.outside;
  out.reference_nats = -sum / inside / model.map().size();
  out.reverse_ess_fraction = metrics::reverse_ess_fraction(log_w);
  out.bennett = metrics::bennett_log_z(samples.log_weight, log_w);
}

}  // namespace

Evaluation evaluate(const WeightedEnsemble& samples, const ReferenceEnsemble& reference,
                    const Generator* model, const EvaluationOptions& options) {
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
  out.energy_w2_kt = energy_distance(samples.reduced_energy, reference.reduced_energy, at);

  std::size_t width = 0;
  const auto sample_torsions = torsions_of(reference.topology, samples.positions_nm, width);
  const auto reference_torsions = torsions_of(reference.topology, reference.positions_nm, width);
  if (width > 0) {
    out.torsion_w2_rad = distances(sample_torsions, reference_torsions, width, at,
                                   [&](const std::vector<double>& a, const std::vector<double>& b) {
                                     return metrics::wasserstein2_torus(a, b, width).distance;
                                   });
  }
  if (options.only_distances) return out;
  begin(0.2, "residues");
  out.angles = compare_residues(samples, reference, sample_torsions, reference_torsions, out.weight,
                                at, options.seed);
  out.agreement = agreement_of(reference_torsions, width, reference.replicas);
  begin(0.3, "size, side chains, bonds and angles");
  out.spreads = compare_spreads(observables_of(reference.topology, options.structure_nm), samples,
                                reference, at, options.seed);
  if (!options.structure_nm.empty()) {
    out.folding = compare_folding(options.structure_nm, options.folded_nm, samples, reference,
                                  out.weight, options.seed);
  }
  begin(0.5, "slowest motions");
  if (options.tica.lag > 0 || options.components)
    out.slow = slow_motions(samples, reference, at, options);
  begin(0.9, "likelihood of the reference");
  if (model != nullptr) add_reference_likelihood(out, samples, reference, *model, options);
  return out;
}

}  // namespace arbg::sampling
