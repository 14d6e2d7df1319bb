// The transformer without gradients: likelihoods of whole sequences, and one position at a time
// from a cache.
#include <algorithm>

#include "autograd/functions.h"
#include "nn/transformer.h"
#include "tensor/base/error.h"
#include "tensor/base/threads.h"
#include "tensor/ops/cached_attention.h"
#include "tensor/ops/embedding.h"

namespace arbg::nn {

namespace ag = autograd;

namespace {

PackedWeight packed(const Variable& weight) { return tensor::pack_weight(weight.value()); }

}  // namespace

std::vector<double> Transformer::log_likelihood(std::span<const std::int32_t> tokens,
                                                std::int64_t micro_batch) const {
  const auto T = config_.length(), count = static_cast<std::int64_t>(tokens.size()) / T;
  require(count * T == static_cast<std::int64_t>(tokens.size()), "expected rows of ", T,
          " tokens, found ", tokens.size(), " in all");
  require(micro_batch >= 1, "the micro-batch must be at least 1, not ", micro_batch);
  std::vector<double> log_q(static_cast<std::size_t>(count));
  parallel_for((count + micro_batch - 1) / micro_batch, [&](std::int64_t batch) {
    const ag::NoGradient no_graph;
    const auto first = batch * micro_batch, rows = std::min(micro_batch, count - first);
    const auto part =
        tokens.subspan(static_cast<std::size_t>(first * T), static_cast<std::size_t>(rows * T));
    const auto log_p = log_prob(Tensor::from_indices(part, {rows, T}, backend_)).value().values();
    for (std::size_t i = 0; i < log_p.size(); ++i) {
      log_q[static_cast<std::size_t>(first) + i / static_cast<std::size_t>(T)] += log_p[i];
    }
  });
  return log_q;
}

KvCache Transformer::make_cache(std::int64_t batch) const {
  require(batch >= 1, "a cache needs a batch of at least 1, not ", batch);
  const ag::NoGradient no_graph;
  KvCache cache;
  cache.batch_ = batch;
  for (const auto& w : weights_.layers) {
    cache.weights_.layers.push_back({w.norm1, packed(w.qkv), packed(w.attention_out), w.norm2,
                                     packed(w.gate), packed(w.up), packed(w.down), w.down_bias});
    cache.layers_.push_back(tensor::make_attention_cache(batch, config_.length(), config_.channels,
                                                         config_.num_heads, backend_));
  }
  cache.weights_.final_norm = weights_.final_norm;
  cache.weights_.output_proj = packed(weights_.output_proj);
  cache.token_table_ = token_table().value();
  cache.position_rows_ = position_rows().value();
  return cache;
}

Tensor Transformer::next_logits(const Tensor& previous, KvCache& cache) const {
  const auto B = cache.batch_, t = cache.length_, C = config_.channels;
  require(t < config_.length(), "the sequence is complete: it has ", config_.length(),
          " positions");
  require(t == 0 || (previous.defined() && previous.shape() == Shape{B}), "expected ", B,
          " tokens of the position before, one a row of the cache");
  const ag::NoGradient no_graph;
  const std::vector<std::int32_t> start(static_cast<std::size_t>(B), start_token());
  const Tensor input = t == 0 ? Tensor::from_indices(start, {B}, backend_) : previous;

  const Tensor embedded = tensor::embedding(cache.token_table_, input).reshape({B, 1, C});
  Variable h = ag::add_rows(Variable(embedded), Variable(cache.position_rows_.rows(t, 1)));
  for (std::size_t i = 0; i < cache.layers_.size(); ++i) {
    h = apply_layer(cache.weights_.layers[i], h, [&](const Variable& qkv) {
      const Tensor row = qkv.value().reshape({B, 3 * C});
      return Variable(tensor::cached_attention(row, cache.layers_[i]).reshape({B, 1, C}));
    });
  }
  ++cache.length_;
  const Variable bias =
      config_.output_bias ? Variable(output_bias_.value().rows(t, 1)) : Variable();
  return apply_output(cache.weights_, h, bias).value().reshape({B, config_.num_bins});
}

void KvCache::select(std::span<const std::int64_t> from) {
  for (auto& layer : layers_) layer = tensor::select_rows(layer, from);
  batch_ = static_cast<std::int64_t>(from.size());
}

}  // namespace arbg::nn
