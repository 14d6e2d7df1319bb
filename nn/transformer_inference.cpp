// The transformer without gradients: likelihoods of whole sequences, and one position at a time
// from a cache.
#include <algorithm>

#include "autograd/functions.h"
#include "nn/transformer.h"
#include "tensor/base/error.h"
#include "tensor/base/threads.h"
#include "tensor/ops/attention.h"
#include "tensor/ops/embedding.h"

namespace arbg::nn {

namespace ag = autograd;

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
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto T = config_.length(), C = config_.channels;
    cache.keys_.push_back(Tensor::zeros({batch, C, T}, real_dtype(backend_), backend_));
    cache.values_.push_back(Tensor::zeros({batch, T, C}, real_dtype(backend_), backend_));
  }
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
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    h = layer(layers_[i], h, [&](const Variable& qkv) {
      const Tensor y =
          tensor::cached_attention(qkv.value().reshape({B, 3 * C}), cache.keys_[i],
                                   cache.values_[i], t, static_cast<int>(config_.num_heads));
      return Variable(y.reshape({B, 1, C}));
    });
  }
  ++cache.length_;
  const Variable bias =
      config_.output_bias ? Variable(output_bias_.value().rows(t, 1)) : Variable();
  return output(h, bias).value().reshape({B, config_.num_bins});
}

void KvCache::select(std::span<const std::int64_t> from) {
  const auto count = static_cast<std::int64_t>(from.size());
  require(count >= 1, "a cache needs at least one row");
  std::vector<std::int32_t> rows;
  for (const auto row : from) {
    require(row >= 0 && row < batch_, "row ", row, " of a cache with ", batch_, " rows");
    rows.push_back(static_cast<std::int32_t>(row));
  }
  const auto pick = [&](Tensor& x) {  // a row of the cache as a row of a table
    const auto rows_each = x.extent(1), columns = x.extent(2);
    const Tensor index = Tensor::from_indices(rows, {count}, x.backend());
    const Tensor flat = x.reshape({batch_, rows_each * columns});
    x = tensor::embedding(flat, index).reshape({count, rows_each, columns});
  };
  for (auto& keys : keys_) pick(keys);
  for (auto& values : values_) pick(values);
  batch_ = count;
}

}  // namespace arbg::nn
