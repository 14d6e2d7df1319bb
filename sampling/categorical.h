// The distribution that a token is drawn from, and its probabilities from the very same numbers.
//
//   full:      P_full(v) = exp(logits[v] / tau) / sum over all v
//   truncated: P_kept(v) = P_full(v) / sum over the kept tokens, 0 for the others
//   mixed:     P(v) = (1 - eps) P_kept(v) + eps P_full(v)
//
// Kept are the first of the tokens in order of falling logits, equal ones in order of their number:
// no more than top_k, and no more than it takes for P_full to add up to top_p. Everything in
// double, from the float32 or double logits as they are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/transformer.h"

namespace arbg::sampling {

struct Decoding {
  double temperature = 1;   // tau > 0
  std::int64_t top_k = 0;   // 0: all
  double top_p = 1;         // in (0, 1]; 1: all
  double full_support = 0;  // eps in [0, 1], in every conditional; 0: truncation alone

  bool truncates() const { return (top_k > 0 || top_p < 1) && full_support < 1; }
  // Truncation alone takes support away: then E_q[w] is Z of what is left of it.
  bool biased() const { return truncates() && full_support == 0; }

  void check() const;        // throws Error, naming what is out of its range
  std::string text() const;  // "temperature 1.03, top-p 0.95 + 1 % full support"
  bool operator==(const Decoding&) const = default;
};

class Categorical {
 public:
  // Row b of logits [..., V], under a decoding that was checked. Exponentials one by one on the
  // reference backend, otherwise in vectors (as accurate: simd.h). Throws Error on logits that are
  // not finite.
  void set(const nn::Tensor& logits, std::int64_t b, const Decoding& decoding);

  // The token at which the cumulative distribution reaches `uniform`, in [0, 1); never one of
  // probability 0.
  std::int32_t draw(double uniform) const;

  double log_probability(std::int32_t token) const;  // -infinity where nothing is left

 private:
  void exponentiate(bool in_vectors);
  void add_up(bool one_by_one);
  double keep_likeliest(const Decoding& decoding, std::int64_t V);

  // Padded to whole blocks with weight 0. Sums are made by blocks, so that neither they nor the
  // search for a token is one long chain of additions.
  std::vector<double> logits_, weights_, block_sums_;
  double inverse_tau_ = 1, largest_ = 0, sum_of_blocks_ = 0, total_ = 0;
  bool truncated_ = false;
  std::vector<std::int32_t> order_;
  std::vector<double> factors_;  // of the weights, where truncated
};

}  // namespace arbg::sampling
