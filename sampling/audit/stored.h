// A set of samples as it lies in a folder, against the model that is said to have drawn it.
//
// Everything stored is computed again from the positions and the model: tokens by a ruler, log q
// from logits by plain sums, energies by the reference backend, weights by their definition.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sampling/audit/check.h"
#include "sampling/audit/replay.h"
#include "sampling/proposals/autoregressive.h"
#include "sampling/targets/target.h"

namespace arbg::sampling {

struct StoredSamples {
  std::vector<std::int32_t> tokens;                       // [B, K]; empty: found from the positions
  std::vector<double> positions_nm;                       // [B, N, 3]
  std::vector<double> log_q, reduced_energy, log_weight;  // [B]
  bool reflected = false;  // log q is log(q(z) + q(-z)) where one of the two has the right hand
  // Of sequential Monte Carlo, one after the other; 0: independent samples. Weights then are those
  // of particles, which moves and copies have taken away from q: they are judged by their mean.
  std::int64_t populations = 0;
  std::vector<std::int32_t> ancestor;  // [B] with populations

  std::int64_t count() const { return static_cast<std::int64_t>(log_q.size()); }
};

struct StoredAudit {
  std::vector<Check> checks;
  // Of the samples looked at closely: uniform on [0, 1] if they are draws from q.
  std::vector<double> transform, uphill;  // [b, K], of replay.h
};

// Arithmetic on all samples; at most `most` of them, evenly spaced, through the network and the
// reference energies.
StoredAudit audit_stored(const AutoregressiveProposal& proposal, const Target& target,
                         const StoredSamples& samples, std::int64_t most);

}  // namespace arbg::sampling
