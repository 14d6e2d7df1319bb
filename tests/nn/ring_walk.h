// What the trainer's tests train: small networks, on walks whose entropy is known.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "nn/training/trainer.h"
#include "tensor/base/random.h"
#include "tests/nn/cells.h"

namespace arbg::nn {

inline TransformerConfig small_config() {
  TransformerConfig config;
  config.num_bins = 6;
  config.channels = 8;
  config.num_layers = 2;
  config.num_heads = 2;
  config.set_cartesian(2);
  config.own_start_row = true;
  config.output_bias = true;
  config.bin_features = true;
  return config;
}

// The same for molecules of one or two atoms, with dropout; trained by Muon.
inline TransformerConfig conditioned_config() {
  TransformerConfig config = small_config();
  config.conditioning = ConditioningConfig{4, 3, 3, true};
  config.add_cond_to_input = config.cross_attention = true;
  config.dropout = 0.2;
  return config;
}

// A walk on a ring of V bins: each token is the one before, or one of its neighbours, with
// probabilities 1/2, 1/4, 1/4.
struct RingWalk : TokenSource {
  std::int64_t length = 6, bins = 6, batch = 22;
  bool conditioned = false;
  std::int64_t outside_at = -1;  // the step whose first coordinate is outside
  void fill(std::int64_t step, std::span<double> z, std::span<double> log_target) override {
    TokenSource::fill(step, z, log_target);
    if (step == outside_at) z[0] = static_cast<double>(bins) + 1;
  }
  Molecules molecules(std::int64_t step, Backend backend) override {
    if (!conditioned) return {};
    const std::int64_t B = batch, N = 2;
    std::vector<std::int32_t> types, count;
    for (std::int32_t b = 0; b < B; ++b) {
      count.push_back((b + static_cast<std::int32_t>(step)) % 3 == 0 ? 1 : 2);
      for (std::int32_t i = 0; i < N; ++i) types.push_back((b + i) % 3);
    }
    const Tensor atoms = Tensor::from_indices(types, {B, N}, backend);
    const Tensor counts = Tensor::from_indices(count, {B}, backend);
    return {atoms, atoms, atoms, counts, counts};
  }
  void fill_tokens(std::int64_t step, std::span<std::int32_t> tokens,
                   std::span<double> log_target) override {
    const Random random(21, stream_id("ring walk", static_cast<std::uint64_t>(step)));
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const auto draw = random.below(4, i);
      const auto move = draw == 0 ? bins - 1 : draw == 1 ? 1 : 0;
      const bool first = i % static_cast<std::size_t>(length) == 0;
      tokens[i] =
          static_cast<std::int32_t>(first ? random.below(bins, i) : (tokens[i - 1] + move) % bins);
    }
    for (std::size_t b = 0; b < log_target.size(); ++b) {
      log_target[b] = 40 + 3 * random.normal_pair(1'000'000 + b)[0];
    }
  }
  double nats() const {  // the entropy of a walk, per coordinate
    const double step = 0.5 * std::log(2.0) + 0.5 * std::log(4.0);
    return (std::log(static_cast<double>(bins)) + static_cast<double>(length - 1) * step) /
           static_cast<double>(length);
  }
};

inline TrainerOptions small_options() {
  TrainerOptions options;
  options.batch = 22;  // no multiple of the shards, nor the shards of the micro-batch
  options.shards = 4;
  options.micro_batch = 4;
  options.total_steps = 14;
  options.learning_rate = 3e-3;
  options.average_decay = 0.9;
  options.variance_weight = 0.1;
  return options;
}

// All numbers of a checkpoint in one row.
inline std::vector<double> all_numbers(const Checkpoint& checkpoint) {
  std::vector<double> numbers;
  for (const auto* list : {&checkpoint.weights, &checkpoint.averaged_weights,
                           &checkpoint.first_moments, &checkpoint.second_moments}) {
    for (const auto& [name, tensor] : *list) {
      const auto values = tensor.values();
      numbers.insert(numbers.end(), values.begin(), values.end());
    }
  }
  return numbers;
}

inline std::vector<double> gradient_of_last_step(
    const Trainer& trainer) {  // with beta1 = 0 the first moment is the gradient
  std::vector<double> numbers;
  for (const auto& [name, tensor] : trainer.checkpoint().first_moments) {
    const auto values = tensor.values();
    numbers.insert(numbers.end(), values.begin(), values.end());
  }
  return numbers;
}

}  // namespace arbg::nn
