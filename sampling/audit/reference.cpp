#include "sampling/audit/reference.h"

#include <algorithm>
#include <cmath>

#include "md/molecule/units.h"
#include "metrics/format_number.h"
#include "metrics/statistics/autocorrelation.h"
#include "metrics/statistics/uniformity.h"
#include "metrics/weights/bennett.h"
#include "metrics/weights/weights.h"
#include "sampling/audit/coordinates.h"
#include "sampling/audit/replay.h"
#include "sampling/smc/population.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"

namespace arbg::sampling {
namespace {

using metrics::format_number;

constexpr double kHeavyTail = 0.7;
constexpr double kMostOutside = 0.05;
constexpr double kNoEstimate = 0.5;  // error of log Z in nats, beyond which nothing is compared

std::vector<double> positions_of(const ReferenceEnsemble& reference,
                                 std::span<const std::int64_t> frames) {
  return pick(reference.positions_nm, frames,
              static_cast<std::size_t>(3 * reference.topology.atom_count()));
}

// Molecular dynamics keeps float32 energies, computed before positions were rounded to float32.
Check stored_energies(const Target& target, const ReferenceEnsemble& reference,
                      std::span<const std::int64_t> frames) {
  constexpr std::size_t kMost = 256;
  std::vector<std::int64_t> some;
  for (std::size_t i = 0; i < std::min(kMost, frames.size()); ++i)
    some.push_back(frames[i * frames.size() / std::min(kMost, frames.size())]);
  const md::EnergyEngine plain(target.energy().system(), Backend::reference);
  const auto e = plain.evaluate(positions_of(reference, some), false).energy_kj_mol;
  double largest = 0;
  for (std::size_t i = 0; i < some.size(); ++i) {
    const double u = e[i] / md::thermal_energy(target.temperature_kelvin()),
                 stored = reference.reduced_energy[static_cast<std::size_t>(some[i])];
    largest = worse(largest, std::abs(u - stored));
  }
  return judged("reference energies against plain loops, kT", largest, 0.01,
                std::to_string(some.size()) + " frames, stored in float32");
}

// Each coordinate's transforms of held-out frames against the uniform distribution.
void add_calibration(ReferenceAudit& out, const md::Topology& topology, const Generator& generator,
                     const ReferenceEnsemble& reference, std::uint64_t seed) {
  const auto K = static_cast<std::size_t>(generator.map().size());
  const auto frames = held_out_frames(reference.frames(), reference.replicas, kHeldOut);
  const auto encoded = generator.encode(positions_of(reference, frames), seed);
  const auto cells = cells_of(generator.bins(), encoded.coordinates);
  std::vector<std::int32_t> tokens;
  std::vector<double> z;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const auto row = std::span(cells).subspan(i * K, K);
    if (std::ranges::count(row, nn::CoordinateBins::kOutside) > 0) continue;
    tokens.insert(tokens.end(), row.begin(), row.end());
    const auto own = std::span(encoded.coordinates).subspan(i * K, K);
    z.insert(z.end(), own.begin(), own.end());
  }
  const std::size_t count = tokens.size() / K;
  if (count < 20) return;
  const Random random(seed, stream_id(streams::kAuditTransform));
  std::vector<double> share;
  for (std::size_t i = 0; i < tokens.size(); ++i) share.push_back(random.uniform(i));
  out.transform = replay(generator, {tokens, z}, {}, share).transform;

  out.kolmogorov_bound = metrics::kolmogorov_bound(0.001 / static_cast<double>(K));
  std::size_t worst = 0;
  double distance = 0;
  for (std::size_t j = 0; j < K; ++j) {
    std::vector<double> column;
    for (std::size_t i = 0; i < count; ++i)
      column.push_back(std::clamp(out.transform[i * K + j], 0.0, 1.0));
    const double d = metrics::kolmogorov_distance(column);
    const auto correlation = metrics::integrated_autocorrelation(column);
    out.kolmogorov_statistic.push_back(std::sqrt(correlation.effective_frames) * d);
    if (out.kolmogorov_statistic[j] > out.kolmogorov_statistic[worst]) worst = j;
    distance = std::max(distance, d);
  }
  const auto& coordinate = generator.map().coordinates()[worst];
  Check check = judged("calibration of the conditionals, largest sqrt(n) D",
                       out.kolmogorov_statistic[worst], out.kolmogorov_bound,
                       std::to_string(count) +
                           " held-out frames, by their autocorrelation; worst: coordinate " +
                           std::to_string(worst) + " of " + topology.describe(coordinate.atom) +
                           "; largest D " + format_number(distance, 2));
  // A network need not be perfect: the weights correct for it.
  if (check.verdict == Verdict::fail) check.verdict = Verdict::warning;
  out.checks.push_back(check);
}

// Where errors are not what they say, a difference is only worth a warning.
Check doubted(Check check, double pareto_k, double error) {
  const bool heavy = !(pareto_k <= kHeavyTail);
  if (heavy) check.note += "; heavy tail: the error of the mean weight says little";
  if (heavy && check.verdict == Verdict::fail) check.verdict = Verdict::warning;
  if (!(error <= kNoEstimate)) {
    check.verdict = Verdict::warning;
    check.note += "; too uncertain to compare";
  }
  return check;
}

}  // namespace

Check compare_log_z(std::span<const double> model_log_weights,
                    std::span<const double> reference_log_weights) {
  const auto summary = metrics::summarise_weights(model_log_weights);
  const auto bennett = metrics::bennett_log_z(model_log_weights, reference_log_weights);
  // Bennett's estimating function over the reference frames: its correlation inflates the error.
  const double shift = std::log(static_cast<double>(reference_log_weights.size()) /
                                static_cast<double>(model_log_weights.size()));
  std::vector<double> bridge;
  for (const double log_w : reference_log_weights)
    bridge.push_back(1 / (1 + std::exp(log_w - bennett.log_z + shift)));
  const double tau = metrics::integrated_autocorrelation(bridge).time;
  const double error = std::hypot(summary.log_z_error, bennett.error * std::sqrt(tau));
  const double sigmas = std::abs(summary.log_z - bennett.log_z) / error;
  Check check = judged("log Z: mean weight against Bennett's ratio, in standard errors", sigmas, 4,
                       format_number(summary.log_z, 7) + " and " + format_number(bennett.log_z, 7) +
                           " +- " + format_number(error, 2) + " together; frames correlated over " +
                           format_number(tau, 2));
  return doubted(check, summary.pareto_k, error);
}

Check compare_populations(std::span<const double> log_weight, std::int64_t populations,
                          std::span<const double> independent_log_weight) {
  const auto smc = summarise(log_weight, populations);
  const auto plain = metrics::summarise_weights(independent_log_weight);
  const double error = std::hypot(smc.log_z_error, plain.log_z_error);
  const Check check =
      judged("log Z: populations against fresh independent samples, in standard errors",
             std::abs(smc.log_z - plain.log_z) / error, 4,
             format_number(smc.log_z, 7) + " and " + format_number(plain.log_z, 7) + " +- " +
                 format_number(error, 2) + " together");
  return doubted(check, plain.pareto_k, error);
}

ReferenceAudit audit_reference(const md::Topology& topology, const Generator& generator,
                               const Target& target, const ReferenceEnsemble& reference,
                               std::span<const double> log_weight, const Decoding& decoding,
                               std::int64_t frames, std::uint64_t seed) {
  ReferenceAudit out;
  const auto chosen =
      replica_frames(reference.frames(), reference.replicas, 0, reference.replicas, frames);
  const auto encoded = generator.encode(positions_of(reference, chosen), seed);
  const auto count = static_cast<double>(chosen.size());
  Check outside =
      judged("share of the reference outside the bins' support",
             static_cast<double>(encoded.outside) / count, 1e-3,
             std::to_string(encoded.outside) + " of " + std::to_string(chosen.size()) + " frames");
  // The mean weight is Z of the support, which is all of Z but that share: a limit before it is a
  // defect.
  if (outside.verdict == Verdict::fail && outside.measured <= kMostOutside)
    outside.verdict = Verdict::warning;
  out.checks.push_back(outside);
  add_calibration(out, topology, generator, reference, seed);
  if (reference.reduced_energy.empty()) return out;
  out.checks.push_back(stored_energies(target, reference, chosen));

  // On frames that it was trained on, q is larger than on others of the same distribution, and
  // Bennett's log Z too small.
  const auto unseen = held_out_frames(reference.frames(), reference.replicas, kHeldOut);
  const auto held_out = generator.encode(positions_of(reference, unseen), seed);
  out.log_weight = log_weights(pick(reference.reduced_energy, unseen), held_out.log_volume,
                               generator.log_density(held_out.coordinates, decoding));
  Check log_z = compare_log_z(log_weight, out.log_weight);
  if (decoding.biased()) {
    log_z.verdict = Verdict::information;
    log_z.note += "; truncated: the mean weight is Z of what is left";
  }
  out.checks.push_back(log_z);
  out.checks.push_back({"reverse effective sample size, share",
                        metrics::reverse_ess_fraction(out.log_weight), 0, Verdict::information,
                        "from held-out frames: sees modes that the model misses"});
  return out;
}

}  // namespace arbg::sampling
