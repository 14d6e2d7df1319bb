// The distribution that a token is drawn from: P(v) = exp(logits[v] / tau) / sum over all v.
//
// Everything in double, from the float32 or double logits as they are; log P comes from the very
// numbers that are drawn from.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/transformer.h"

namespace arbg::sampling {

class Categorical {
 public:
  // Row b of logits [B, V]; tau > 0. Exponentials one by one on the reference backend, otherwise in
  // vectors (as accurate: simd.h). Throws Error on logits that are not finite.
  void set(const nn::Tensor& logits, std::int64_t b, double tau);

  // The token at which the cumulative distribution reaches `uniform`, in [0, 1); never one of
  // probability 0.
  std::int32_t draw(double uniform) const;

  double log_probability(std::int32_t token) const;

 private:
  void exponentiate(bool in_vectors);

  // Padded to whole blocks with weight 0. Sums are made by blocks, so that neither they nor the
  // search for a token is one long chain of additions.
  std::vector<double> logits_, weights_, block_sums_;
  double inverse_tau_ = 1, largest_ = 0, sum_of_blocks_ = 0, total_ = 0;
};

}  // namespace arbg::sampling
