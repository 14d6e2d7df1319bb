// What a model and its samples look like from reference conformations: the part of an audit that
// has random errors on both sides. Likelihoods are judged on frames that training by default holds
// out, the last twentieth, at most 4096: on frames it has learned q is too large, and log Z from
// them too small.
#pragma once

#include <span>
#include <vector>

#include "sampling/audit/check.h"
#include "sampling/evaluation/ensembles.h"
#include "sampling/proposals/generator.h"
#include "sampling/targets/target.h"

namespace arbg::sampling {

struct ReferenceAudit {
  std::vector<Check> checks;
  std::vector<double> log_weight;            // of held-out frames, under the model
  std::vector<double> transform;             // of held-out frames, [b, K]
  std::vector<double> kolmogorov_statistic;  // sqrt(effective frames) D of each coordinate, [K]
  double kolmogorov_bound = 0;
};

// The two estimates of log Z: E_q[w] from model log weights, Bennett's from both sides. Their
// difference in standard errors is judged against four; where the tail of the weights (k-hat above
// 0.7) makes the error of E_q[w] meaningless, a larger one only warns, and so does an error of half
// a nat. The reference's share of Bennett's error counts the autocorrelation of its frames, in the
// order given.
Check compare_log_z(std::span<const double> model_log_weights,
                    std::span<const double> reference_log_weights);

// The mean weight of the populations of sequential Monte Carlo against that of independent samples,
// in standard errors, by the same rules.
Check compare_populations(std::span<const double> log_weight, std::int64_t populations,
                          std::span<const double> independent_log_weight);

// Atoms of the reference are in the order of the topology. `log_weight`: of independent samples
// under that decoding. At most `frames` of the reference are looked at for support and energies.
ReferenceAudit audit_reference(const md::Topology& topology, const Generator& generator,
                               const Target& target, const ReferenceEnsemble& reference,
                               std::span<const double> log_weight, const Decoding& decoding,
                               std::int64_t frames, std::uint64_t seed);

}  // namespace arbg::sampling
