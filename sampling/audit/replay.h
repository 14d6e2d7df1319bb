// A second reading of what the sampler did: its logits for given tokens, and plain sums over them.
//
// The tokens are fed through the cache as if they had been drawn; P comes from those logits by a
// loop over V in double, written again here (temperature, top-k, top-p, mixture), and
//
//   log q = sum_j log P(k_j) - log h_j + log(1 + a_j t_j)
//   F_j = sum over v < k_j of P(v) + share_j P(k_j),     share = f + a/2 (f^2 - f),  f = t + 1/2
//
// with slopes a of P itself, as nn/heads/binned.h has them, or 0 where bins are uniform. F_j, the
// probability integral transforms, are independent and uniform on [0, 1] over draws from q. A
// network with placement energies is told them anew, from the coordinates themselves.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sampling/proposals/generator.h"

namespace arbg::sampling {

// Rows of a sequence: bins, as the network reads them, and coordinates in them, which placement
// energies are of.
struct Sequences {
  std::span<const std::int32_t> tokens;  // [B, K], all of them bins
  std::span<const double> z;             // [B, K]
};

struct Replay {
  std::vector<double> log_q;      // [B]
  std::vector<double> transform;  // F [B, K]
  std::vector<double> uphill;     // [B, K], the share of the bin between a coordinate and the edge
                                  // where the density is lower: uniform, too
  double worst_sum = 0;           // largest |sum over v of P(v) - 1| of the sampler's own P
  // sum over all draws of log P(k_j) minus its expectation, in standard deviations of that sum: a
  // standard normal if the tokens were drawn from P.
  double surprise = 0;
};

// share [B, K]: instead of that of the bin's probability which lies below a coordinate.
Replay replay(const Generator& generator, const Sequences& sequences, const Decoding& decoding,
              std::span<const double> share = {});

// Logits [B, K, V], all at once and one position after the other as the sampler sees them.
// `network` may be a changed copy of the generator's.
std::vector<double> uncached_logits(const Generator& generator, const nn::Transformer& network,
                                    const Sequences& sequences);
std::vector<double> cached_logits(const Generator& generator, const nn::Transformer& network,
                                  const Sequences& sequences);

}  // namespace arbg::sampling
