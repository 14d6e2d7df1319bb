// Tokens as coordinates, for tests that think in tokens: bin k of every coordinate is [k, k + 1).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nn/heads/binned.h"
#include "nn/training/trainer.h"

namespace arbg::nn {

inline BinnedHead make_cells(std::int64_t bins, std::int64_t coordinates) {
  const CoordinateBins::Axis axis{0, static_cast<double>(bins)};
  return BinnedHead(CoordinateBins(
      bins, std::vector<CoordinateBins::Axis>(static_cast<std::size_t>(coordinates), axis)));
}

// Of the small networks that the trainer's tests train: six bins, six coordinates.
inline const BinnedHead& cells() {
  static const BinnedHead head = make_cells(6, 6);
  return head;
}

// The middles of the cells.
inline std::vector<double> as_coordinates(std::span<const std::int32_t> tokens) {
  std::vector<double> z;
  for (const auto token : tokens) z.push_back(token + 0.5);
  return z;
}

struct TokenSource : TrainingBatchSource {
  virtual void fill_tokens(std::int64_t step, std::span<std::int32_t> tokens,
                           std::span<double> log_target) = 0;
  void fill(std::int64_t step, std::span<double> z, std::span<double> log_target) override {
    std::vector<std::int32_t> tokens(z.size());
    fill_tokens(step, tokens, log_target);
    std::ranges::copy(as_coordinates(tokens), z.begin());
  }
};

}  // namespace arbg::nn
