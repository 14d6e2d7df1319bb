// Small networks with every option, and inputs for them.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/transformer/transformer.h"
#include "tensor/base/random.h"

namespace arbg::nn {

// Every option of the config on or off, and some of them; internal coordinates have index arrays of
// their own.
inline std::vector<TransformerConfig> configs() {
  std::vector<TransformerConfig> all;
  for (const bool ours : {false, true}) {
    TransformerConfig config;
    config.num_bins = 5;
    config.channels = 8;
    config.num_layers = 2;
    config.num_heads = 2;
    config.num_dims = 3;
    config.num_atoms = 3;
    config.dim_index = {0, 0, 1, 2, 0, 1};
    config.atom_index = {1, 2, 2, 0, 0, 0};
    config.learned_positions = ours;
    config.own_start_row = ours;
    config.output_bias = ours;
    config.bin_features = ours;
    config.head_dim = ours ? 6 : 0;
    all.push_back(config);
  }
  for (const bool every : {false, true}) {
    TransformerConfig config = all[every ? 1 : 0];
    config.atom_index = {0, 0, 1, 1, 2, 2};
    config.conditioning = ConditioningConfig{6, 5, 4, every};
    config.add_cond_to_input = every;
    config.global_cond = true;
    config.cross_attention = every;
    config.cross_head_norm = config.cross_gate = every;
    config.input_norm = every;
    config.swiglu = config.rms_norm = !every;
    config.zero_output = every;
    config.head_dim = every ? 3 : 0;
    config.dropout = 0.1;
    all.push_back(config);
  }
  return all;
}

// Molecules of three atoms, one after the other different; undefined for networks without.
inline Molecules molecules_for(const TransformerConfig& config, std::int64_t rows,
                               Backend backend) {
  if (!config.conditioning) return {};
  constexpr std::int64_t N = 3;
  const auto encodings = [&](std::int32_t below, std::int32_t step) {
    std::vector<std::int32_t> values;
    for (std::int32_t i = 0; i < rows * N; ++i) values.push_back(i * step % below);
    return Tensor::from_indices(values, {rows, N}, backend);
  };
  const auto each = [&](std::int32_t value) {
    return Tensor::from_indices(std::vector(static_cast<std::size_t>(rows), value), {rows},
                                backend);
  };
  return {encodings(5, 3), encodings(4, 2), encodings(3, 1), each(2), each(3)};
}

// Weights far from zero, so that logits are of order one and every branch counts.
inline Transformer lively_network(const TransformerConfig& config, Backend backend) {
  Transformer network(config, backend, 3);
  for (const auto& [name, variable, decays] : network.parameters()) {
    Tensor value = variable.value();
    const Random random(11, stream_id(name));
    std::vector<double> numbers;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(value.elements()); ++i) {
      numbers.push_back((value.shape().rank() == 1 ? 1.0 : 0.0) + 0.5 * random.normal_pair(i)[0]);
    }
    value.copy_from(Tensor::from_values(numbers, value.shape(), backend));
  }
  return network;
}

inline std::vector<std::int32_t> random_tokens(const TransformerConfig& config, std::int64_t rows,
                                               std::uint64_t seed) {
  const Random random(seed, stream_id("tokens"));
  std::vector<std::int32_t> tokens;
  for (std::int64_t i = 0; i < rows * config.length(); ++i) {
    tokens.push_back(
        static_cast<std::int32_t>(random.below(config.num_bins, static_cast<std::uint64_t>(i))));
  }
  return tokens;
}

inline Variable logits_of(const Transformer& network, const Tensor& tokens) {
  return network.logits(tokens,
                        molecules_for(network.config(), tokens.extent(0), network.backend()));
}

inline Variable log_prob_of(const Transformer& network, const Tensor& tokens) {
  return network.log_prob(tokens,
                          molecules_for(network.config(), tokens.extent(0), network.backend()));
}

inline Tensor as_rows(const std::vector<std::int32_t>& tokens, const Transformer& network) {
  const auto T = network.config().length();
  return Tensor::from_indices(tokens, {static_cast<std::int64_t>(tokens.size()) / T, T},
                              network.backend());
}

}  // namespace arbg::nn
