// The autoregressive transformer: embeddings [B, T, C] -> outputs [B, T, V], outputs at t depending
// on embeddings up to t only.
//
// What position t is fed with is of what came before it, so that its outputs say how t is
// distributed: a head (nn/heads/head.h) makes embeddings of coordinates and densities of outputs.
// Of tokens [start, t_0 .. t_{T-2}], as published networks see them, the embeddings are
// E_token[input], the outputs logits. h = embedding + PE(t) + E_dim[dim_index[t]] +
// E_atom[atom_index[t]], and for conditioned networks something of the vectors c of the atoms
// (conditioning.h); then the layers of transformer_layers.h. A conditioned network is given the
// molecules of the batch, any network may be: then fewer than T positions are allowed, and those of
// padding have no likelihood (their logits mean nothing). Source: Rehman et al., "Autoregressive
// Boltzmann Generators", 2026, and their released code (parameter names). A network is used by one
// thread at a time (make replicas for more), except where said otherwise.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nn/transformer/conditioning.h"
#include "nn/transformer/module.h"
#include "nn/transformer/placement.h"
#include "nn/transformer/transformer_config.h"
#include "nn/transformer/transformer_layers.h"
#include "tensor/ops/cached_attention.h"

namespace arbg::nn {

class KvCache;

class Transformer : public Module {
 public:
  // New weights: N(0, 0.02), norms 1, biases 0; cross-attention's output matrix 0 and its gate 1,
  // so that it starts as nothing and learns. They depend on the seed and the parameter's name
  // alone.
  Transformer(TransformerConfig config, Backend backend, std::uint64_t seed);

  // These weights, sharing their storage if they are of that backend. Throws Error naming a weight
  // that is missing, has another shape, or is of no use.
  Transformer(TransformerConfig config, Backend backend, const NamedTensors& weights);

  // Shares this network's parameter values; own gradients.
  Transformer replica() const;

  const TransformerConfig& config() const { return config_; }
  Backend backend() const { return backend_; }

  // The learned rows of which embeddings are made, [rows, C]: one a bin, and the start's if it has
  // one of its own.
  Variable input_table() const;
  std::int64_t input_rows() const { return token_embed_.value().extent(0); }

  // embedded [B, n, C] -> outputs [B, n, V], n <= T. Records a graph unless NoGradient. With a
  // dropout key the config's rate is in force. A network with the option `placement` takes what is
  // told of these positions.
  Variable outputs(const Variable& embedded, const Molecules& molecules = {},
                   const std::optional<DropoutKey>& dropout = {},
                   const PlacementRows& placement = {}) const;

  // The same of tokens int32 [B, n]. Their last column is not looked at.
  Variable logits(const Tensor& tokens, const Molecules& molecules = {},
                  const std::optional<DropoutKey>& dropout = {},
                  const PlacementRows& placement = {}) const;

  // log P(tokens[b, t] | tokens before t), [B, n], zero for padding.
  Variable log_prob(const Tensor& tokens, const Molecules& molecules = {},
                    const std::optional<DropoutKey>& dropout = {}) const;

  // terms [B, n], zero where molecules have padding.
  Variable without_padding(const Variable& terms, const Molecules& molecules) const;

  // sum_t log P for rows of tokens [B * n], in double, computed in parallel in micro-batches of
  // that many rows; the same numbers for any thread count. Without molecules n = T. Records no
  // graph; several threads may call it. Throws Error for a token outside.
  std::vector<double> log_likelihood(std::span<const std::int32_t> tokens,
                                     std::int64_t micro_batch = 16,
                                     const Molecules& molecules = {}) const;

  // For every molecule, the number of positions whose atoms it has, at most n. Throws Error if they
  // are not the first ones.
  std::vector<std::int64_t> positions_of(const Molecules& molecules, std::int64_t n) const;

  // Cached inference. next_outputs gives the outputs [B, V] of position cache.length(), which is
  // fed with embedded [B, 1, C] (of the cache's own input table); cache.advance() goes on to the
  // next. Both ask the position of the device alone, and can be repeated as one graph
  // (device/repeated.h). On the reference backend bitwise equal to outputs(). Several threads may
  // call it, each with its own cache.
  KvCache make_cache(std::int64_t batch, const Molecules& molecules = {}) const;
  Tensor next_outputs(const Variable& embedded, KvCache& cache,
                      const PlacementRows& placement = {}) const;

  // The same by the tokens int32 [B] of the position before (ignored, and may be undefined, at the
  // start). Advances the cache.
  Tensor next_logits(const Tensor& previous, KvCache& cache,
                     const PlacementRows& placement = {}) const;

  // Starts the output at independent marginals: output matrix zero, output_bias[t, v] = log((n +
  // smoothing) / (N + V smoothing)), n = counts[t, v] of T x V, N its sum over v. Where energies of
  // bins are in the logits, log((n + smoothing) / (N curves[t, v] + smoothing)): what the histogram
  // has beyond that of the energies alone (mean_of_curves()). Throws Error if the config has no
  // output_bias.
  void initialise_from_marginals(std::span<const double> counts, double smoothing = 1.0,
                                 std::span<const double> curves = {});

 private:
  // The parameters (transformer_parameters.cpp).
  using MakeValue = std::function<Tensor(const std::string&, const Shape&)>;
  Transformer(TransformerConfig config, Backend backend, const MakeValue& make);
  NormWeights add_norm(const std::string& name, const MakeValue& make);
  LinearWeights<Variable> add_linear(const std::string& name, std::int64_t outputs,
                                     std::int64_t inputs, bool bias, const MakeValue& make);
  LayerWeights<Variable> add_layer(const std::string& block, const MakeValue& make);
  CrossWeights<Variable> add_cross(const std::string& block, const MakeValue& make);
  void add_conditioning(const MakeValue& make);
  void add_placement(const MakeValue& make);

  int heads() const { return static_cast<int>(config_.num_heads); }
  std::int32_t start_token() const;
  void check_rows(std::int64_t batch, std::int64_t n, const Molecules& molecules) const;
  Tensor position_count(const Molecules& molecules, std::int64_t n) const;
  Tensor shift_right(const Tensor& tokens) const;
  Variable position_rows(std::int64_t n) const;
  void check_placement(const PlacementRows& placement) const;
  Variable with_features(const Variable& embedded, const PlacementRows& placement) const;
  std::optional<CrossWeights<Variable>> global_attention() const;
  Variable vectors_of_positions(const Variable& c, std::int64_t n) const;
  Variable vectors_of_next(const KvCache& cache) const;

  TransformerConfig config_;
  Backend backend_;
  Tensor dim_index_, atom_index_, sinusoid_, bin_turns_;
  Variable token_embed_, coord_dim_embed_, atom_pos_embed_, pos_embed_, bin_features_;
  ConditioningWeights conditioning_;
  Variable global_in_weight_,
      global_in_bias_;  // q | k | v, as torch.nn.MultiheadAttention has them
  LinearWeights<Variable> global_out_;
  LayersWeights<Variable> weights_;
  Variable output_bias_;
  Variable placement_features_;   // [C, F], or undefined
  Variable placement_strengths_;  // [T, c], likewise
};

// Keys and values of the positions already seen, for each layer.
class KvCache {
 public:
  std::int64_t length() const { return length_; }  // positions seen so far, 0 ... T
  std::int64_t batch() const { return batch_; }
  const Variable& input_table() const { return input_table_; }
  const Tensor& place() const { return place_; }  // length(), where the network is (place.h)

  void advance();
  // What repeated work has done to the place, which nobody but the device has seen.
  void set_length(std::int64_t length);

  // Row b becomes a copy of what row from[b] was (resampling). `from` may have another length than
  // the batch.
  void select(std::span<const std::int64_t> from);

 private:
  friend class Transformer;
  std::int64_t batch_ = 0, length_ = 0;
  Tensor place_;
  std::vector<tensor::AttentionCache> layers_;
  // What does not change from step to step: a cache does not see later changes of the network.
  Variable input_table_;
  Tensor position_rows_;
  LayersWeights<tensor::PackedWeight> weights_;
  std::optional<CrossWeights<tensor::PackedWeight>> global_;
  Variable atoms_;          // c [B, N, C], or undefined
  Tensor atoms_by_number_;  // the same as [N, B, C], or undefined
  Memory global_memory_;
  std::vector<Memory> memories_;  // one a layer
};

}  // namespace arbg::nn
