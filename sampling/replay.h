// Weighted samples of a model, kept for some rounds, as training batches: self-improvement.
//
// A round is M samples of one q with their log weights log w = -u + log_volume - log q, under the
// very q they were drawn from. A batch takes each row from a round chosen evenly, and within it
// with probability proportional to w^a: rounds count alike, so that no estimate of Z is shared
// between them. The exponent a in (0, 1] is the largest that leaves a given share of effective
// samples: far from the target q^(1-a) pi^a lies between the model and the target, and where the
// weights are good a = 1. Smoothed weights serve training only; estimates are made of raw ones.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "nn/trainer.h"

namespace arbg::sampling {

// The largest a in [0, 1] for which the weights w^a have an effective sample size of at least
// `fraction` of the weights that are not 0. Throws Error if all are 0 or the fraction is not in
// (0, 1].
double smoothing_exponent(std::span<const double> log_weights, double fraction);

struct ReplayRound {
  std::vector<std::int32_t> tokens;  // [M, K]
  std::vector<double> log_target;    // [M]: -u + log_volume
  std::vector<double> log_weight;    // [M], raw; -infinity for what is never to be trained on
};

class ReplayBuffer : public nn::TrainingBatchSource {
 public:
  // Keeps the last `rounds` rounds of rows of `length` tokens; `effective` is the share of
  // smoothing_exponent().
  ReplayBuffer(std::int64_t length, std::size_t rounds, double effective, std::uint64_t seed);

  // Returns the exponent of this round's weights. Throws Error if the sizes do not match.
  double add(ReplayRound round);

  // Rows by (seed, step) and the rounds kept.
  void fill(std::int64_t step, std::span<std::int32_t> tokens,
            std::span<double> log_target) override;

 private:
  struct Entry {
    ReplayRound round;
    std::vector<double> cumulative;  // [M] of w^a
  };
  std::size_t length_, most_rounds_;
  double effective_;
  std::uint64_t seed_;
  std::deque<Entry> rounds_;
};

}  // namespace arbg::sampling
