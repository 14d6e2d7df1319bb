#include "sampling/audit/audit.h"

#include <algorithm>
#include <cmath>

#include "metrics/statistics/uniformity.h"
#include "metrics/weights/weights.h"
#include "sampling/audit/coordinates.h"
#include "sampling/audit/energies.h"
#include "sampling/audit/placement.h"
#include "sampling/audit/probabilities.h"
#include "tensor/base/error.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/streams.h"

namespace arbg::sampling {
namespace {

// Of all conditionals of all draws together, which are independent and uniform.
Check uniform_draws(const char* of, std::span<const double> transform) {
  std::vector<double> values;
  for (const double f : transform) values.push_back(std::clamp(f, 0.0, 1.0));
  const double statistic =
      std::sqrt(static_cast<double>(values.size())) * metrics::kolmogorov_distance(values);
  return judged(std::string(of) + " against the uniform distribution, sqrt(n) D", statistic,
                metrics::kolmogorov_bound(1e-6), std::to_string(values.size()) + " conditionals");
}

std::vector<Check> weight_lines(std::span<const double> log_weight, const std::string& of) {
  const auto summary = metrics::summarise_weights(log_weight);
  Check tail = judged("Pareto k-hat of the weights", summary.pareto_k, 0.7, of);
  if (tail.verdict == Verdict::fail) {
    tail.verdict = Verdict::warning;
    tail.note += "; averages over these weights are not reliable";
  }
  return {{"effective sample size, share", summary.ess_fraction, 0, Verdict::information, of},
          {"share of the largest weight", summary.largest_share, 0, Verdict::information, of},
          tail};
}

// Fresh samples that are molecules: the better half by energy, at most 64; none if all have an
// infinite energy or the wrong hand.
std::vector<double> good_conformations(const Samples& samples, std::span<const double> u) {
  constexpr std::size_t kMost = 64;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < u.size(); ++i)
    if (std::isfinite(u[i])) order.push_back(i);
  if (order.empty()) return {};
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return u[i]; });
  const std::size_t half = (order.size() + 1) / 2, used = std::min(kMost, half),
                    frame = samples.positions_nm.size() / u.size();
  std::vector<double> out;
  for (std::size_t n = 0; n < used; ++n) {
    const auto begin =
        samples.positions_nm.begin() + static_cast<std::ptrdiff_t>(order[n * half / used] * frame);
    out.insert(out.end(), begin, begin + static_cast<std::ptrdiff_t>(frame));
  }
  return out;
}

void append(std::vector<Check>& to, const std::vector<Check>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

BinnedSamples draw_fresh(const AutoregressiveProposal& proposal, const AuditOptions& audit) {
  SampleOptions options;
  options.count = audit.fresh;
  options.seed = audit.seed;
  options.stream = stream_id(streams::kAudit);
  BinnedSamples fresh{proposal.draw(options), {}};
  require(!interrupted(), "interrupted; nothing was written");
  fresh.tokens = cells_of(proposal.generator().bins(), fresh.coordinates);
  // A draw that its own bins call outside has no token to replay: bin 0 stands in. log_density()
  // of that draw is -infinity, the replay of bin 0 is finite: "log q with a cache against without"
  // fails.
  std::ranges::replace(fresh.tokens, nn::CoordinateBins::kOutside, 0);
  return fresh;
}

std::vector<Check> audit_physics(const AuditSubject& subject, std::span<const double> good) {
  if (good.empty())
    return {{"fresh samples that are molecules", 0, 1, Verdict::fail,
             "none has a finite energy and the right hand: the model has learned "
             "nothing, or is of another molecule"}};
  const Generator& generator = subject.proposal.generator();
  auto out = audit_energies(subject.topology, subject.target, good);
  append(out, audit_placement(generator, subject.target, good));
  append(out, audit_symmetry(subject.topology, generator, subject.target, good));
  return out;
}

}  // namespace

std::int64_t Audit::count(Verdict verdict) const {
  std::int64_t out = 0;
  for (const auto& section : sections)
    out += std::ranges::count(section.checks, verdict, &Check::verdict);
  return out;
}

Audit audit(const AuditSubject& subject, const AuditOptions& options) {
  const AutoregressiveProposal& proposal = subject.proposal;
  const Generator& generator = proposal.generator();
  const std::int64_t populations = subject.stored ? subject.stored->populations : 0;
  const BinnedSamples fresh = draw_fresh(proposal, options);
  const auto u = subject.target.reduced_energy(fresh.positions_nm);
  const auto fresh_log_weight = log_weights(u, fresh.log_volume, fresh.log_q);

  Audit out;
  out.sections = {{"Is q a probability?", audit_probabilities(proposal, subject.target, fresh)},
                  {"Do coordinates mean what log q says?", audit_coordinates(generator, fresh)},
                  {"Are energies those of the force field?",
                   audit_physics(subject, good_conformations(fresh, u))}};
  const bool independent = subject.stored && populations == 0;
  out.log_weight = independent ? subject.stored->log_weight : fresh_log_weight;
  if (subject.stored) {
    auto stored = audit_stored(proposal, subject.target, *subject.stored, options.close);
    out.draws = std::move(stored.transform);
    if (!out.draws.empty()) {
      stored.checks.push_back(uniform_draws("transforms of the draws", out.draws));
      stored.checks.push_back(uniform_draws("places within bins, uphill,", stored.uphill));
    }
    append(stored.checks, subject.said);
    if (populations > 0)
      stored.checks.push_back(
          compare_populations(subject.stored->log_weight, populations, fresh_log_weight));
    out.sections.push_back({"Are the samples what they claim?", std::move(stored.checks)});
  }
  if (subject.reference)
    out.reference =
        audit_reference(subject.topology, generator, subject.target, *subject.reference,
                        out.log_weight, proposal.decoding(), options.close, options.seed);
  auto trust = out.reference.checks;
  append(trust, weight_lines(out.log_weight,
                             std::to_string(out.log_weight.size()) +
                                 (populations > 0 ? " fresh independent samples" : " samples")));
  out.sections.push_back({"How far do the weights carry?", std::move(trust)});
  return out;
}

}  // namespace arbg::sampling
