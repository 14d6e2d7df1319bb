// The transformer without gradients: likelihoods of whole sequences, and one position at a time
// from a cache.
#include <algorithm>
#include <optional>

#include "autograd/functions.h"
#include "nn/transformer/row_sums.h"
#include "nn/transformer/transformer.h"
#include "tensor/base/defects.h"
#include "tensor/base/error.h"
#include "tensor/ops/cached_attention.h"
#include "tensor/ops/gather_rows.h"
#include "tensor/ops/place.h"
#include "tensor/ops/reduce.h"

namespace arbg::nn {

namespace ag = autograd;

namespace {

PackedWeight packed(const Variable& weight) { return tensor::pack_weight(weight.value()); }

LinearWeights<PackedWeight> packed(const LinearWeights<Variable>& w) {
  return {packed(w.weight), w.bias};
}

CrossWeights<PackedWeight> packed(const CrossWeights<Variable>& w) {
  return {w.norm, packed(w.query), packed(w.out), w.key_value, w.query_norm, w.key_norm, w.gate};
}

template <class Weights>
auto packed(const std::optional<Weights>& w) {
  return w ? std::optional(packed(*w)) : std::nullopt;
}

LayerWeights<PackedWeight> packed(const LayerWeights<Variable>& w) {
  return {w.norm1,        packed(w.qkv), packed(w.attention_out), packed(w.cross), w.norm2,
          packed(w.gate), packed(w.up),  packed(w.down)};
}

// Row i is row from[i] of x [B, ...], whatever stands in a row.
Variable gathered(const Variable& x, const Tensor& from) {
  return x.defined() ? Variable(tensor::gather_rows(x.value(), from)) : x;
}

// c [B, N, C] as [N, B, C].
Tensor by_number(const Tensor& c) {
  const auto B = c.extent(0), N = c.extent(1), C = c.extent(2);
  std::vector<std::int32_t> rows;
  for (std::int64_t atom = 0; atom < N; ++atom)
    for (std::int64_t b = 0; b < B; ++b) rows.push_back(static_cast<std::int32_t>(b * N + atom));
  const Tensor index = Tensor::from_indices(rows, {N * B}, c.backend());
  return tensor::gather_rows(c.reshape({B * N, C}), index).reshape({N, B, C});
}

Memory gathered(const Memory& memory, const Tensor& from) {
  if (!memory.keys.defined()) return memory;
  return {gathered(memory.keys, from), gathered(memory.values, from),
          tensor::gather_rows(memory.count, from)};
}

}  // namespace

std::vector<double> Transformer::log_likelihood(std::span<const std::int32_t> tokens,
                                                std::int64_t micro_batch,
                                                const Molecules& molecules) const {
  const auto size = static_cast<std::int64_t>(tokens.size());
  const auto count = molecules.defined() ? molecules.batch() : size / config_.length();
  const auto n = molecules.defined() && count > 0 ? size / count : config_.length();
  require(count * n == size && n <= config_.length(), "expected rows of ", config_.length(),
          " tokens, found ", size, " in all for ", count, " molecules");
  return row_sums({backend_}, count, micro_batch, [&](std::int64_t first, std::int64_t rows) {
    const ag::NoGradient no_graph;
    const auto part =
        tokens.subspan(static_cast<std::size_t>(first * n), static_cast<std::size_t>(rows * n));
    const Variable log_p = log_prob(Tensor::from_indices(part, {rows, n}, backend_),
                                    molecules.defined() ? molecules.rows(first, rows) : molecules);
    return tensor::sum_last_in_double(log_p.value()).values();
  });
}

KvCache Transformer::make_cache(std::int64_t batch, const Molecules& molecules) const {
  require(batch >= 1, "a cache needs a batch of at least 1, not ", batch);
  require(molecules.defined() == config_.conditioning.has_value(), "this network is ",
          config_.conditioning ? "" : "not ", "conditioned: its cache is made ",
          config_.conditioning ? "with" : "without", " molecules");
  const ag::NoGradient no_graph;
  KvCache cache;
  cache.batch_ = batch;
  cache.place_ = tensor::make_place(0, backend_);
  const auto global = global_attention();
  cache.global_ = packed(global);
  // No longer than the longest of the molecules.
  const auto has_atom = [&](std::int32_t atom) {
    return !molecules.defined() || atom < molecules.most_atoms();
  };
  const auto length = std::ranges::count_if(config_.atom_index, has_atom);
  for (const auto& w : weights_.layers) {
    cache.weights_.layers.push_back(packed(w));
    cache.layers_.push_back(tensor::make_attention_cache(batch, length, config_.attention_width(),
                                                         config_.num_heads, backend_));
  }
  cache.weights_.input_norm = weights_.input_norm;
  cache.weights_.final_norm = weights_.final_norm;
  cache.weights_.output_proj = packed(weights_.output_proj);
  cache.weights_.placement_strength = weights_.placement_strength;
  cache.input_table_ = Variable(input_table().value());
  cache.position_rows_ = position_rows(config_.length()).value();
  cache.memories_.resize(weights_.layers.size());
  if (!config_.conditioning) return cache;

  molecules.check();
  require(molecules.batch() == batch, "encodings of ", molecules.batch(), " molecules for ", batch,
          " rows of a cache");
  cache.atoms_ = condition(conditioning_, *config_.conditioning, molecules);
  if (config_.add_cond_to_input) cache.atoms_by_number_ = by_number(cache.atoms_.value());
  if (global) cache.global_memory_ = make_memory(*global, cache.atoms_, molecules.atom_count);
  for (std::size_t i = 0; i < cache.memories_.size(); ++i) {
    const auto& cross = weights_.layers[i].cross;
    if (cross) cache.memories_[i] = make_memory(*cross, cache.atoms_, molecules.atom_count);
  }
  return cache;
}

Tensor Transformer::next_logits(const Tensor& previous, KvCache& cache,
                                const PlacementRows& placement) const {
  const auto B = cache.batch_, t = cache.length_;
  require(t == 0 || (previous.defined() && previous.shape() == Shape{B}), "expected ", B,
          " tokens of the position before, one a row of the cache");
  const ag::NoGradient no_graph;
  const std::vector<std::int32_t> start(static_cast<std::size_t>(B), start_token());
  const Tensor input = t == 0 ? Tensor::from_indices(start, {B}, backend_) : previous;
  Tensor logits =
      next_outputs(ag::embedding(cache.input_table_, input.reshape({B, 1})), cache, placement);
  cache.advance();
  return logits;
}

// Of c, the vectors of the atom of the cache's position, [B, 1, C]. Undefined if they are not added
// to the input.
Variable Transformer::vectors_of_next(const KvCache& cache) const {
  if (!config_.add_cond_to_input) return {};
  const Tensor& c = cache.atoms_by_number_;
  Tensor atom = tensor::gather_rows(atom_index_, cache.place());
  const auto known = config_.atom_index[static_cast<std::size_t>(cache.length())];
  atom.set_index_bounds({known, known});
  return Variable(tensor::gather_rows(c, atom).reshape({c.extent(1), 1, c.extent(2)}));
}

Tensor Transformer::next_outputs(const Variable& embedded, KvCache& cache,
                                 const PlacementRows& placement) const {
  check_placement(placement);
  const auto B = cache.batch_, t = cache.length_, C = config_.channels;
  require(t < config_.length(), "the sequence is complete: it has ", config_.length(),
          " positions");
  require(embedded.defined() && embedded.value().shape() == Shape({B, 1, C}),
          "expected embeddings [", B, ", 1, ", C, "], one a row of the cache");
  const auto atom = config_.atom_index[static_cast<std::size_t>(t)];
  require(!cache.atoms_.defined() || atom < cache.atoms_.value().extent(1),
          "the sequence is complete: the molecules have ",
          cache.atoms_.defined() ? cache.atoms_.value().extent(1) : 0, " atoms");
  const ag::NoGradient no_graph;

  const auto before = [&] {
    return tensor::make_place(static_cast<std::int32_t>(t - 1), backend_);
  };
  const bool early = planted(Defect::cached_position_early) && t > 0;
  const Tensor place = early ? before() : cache.place_;
  const Variable placed = ag::add_rows(with_features(embedded, placement),
                                       Variable(tensor::gather_rows(cache.position_rows_, place)));
  Dropout none;
  Variable h = apply_input(cache.weights_.input_norm, placed, vectors_of_next(cache), cache.global_,
                           cache.global_memory_, heads(), none);
  for (std::size_t i = 0; i < cache.layers_.size(); ++i) {
    const auto attend = [&](const Variable& qkv) {
      const auto width = config_.attention_width();
      const Tensor row = qkv.value().reshape({B, 3 * width});
      const bool stale = planted(Defect::stale_cache_row) && i == 0 && t > 1;
      const Tensor y =
          tensor::cached_attention(row, stale ? before() : cache.place_, cache.layers_[i]);
      return Variable(y.reshape({B, 1, width}));
    };
    h = apply_layer(cache.weights_.layers[i], h, attend, cache.memories_[i], heads(), none);
  }
  const auto of_place = [&](const Variable& rows) {
    return rows.defined() ? Variable(tensor::gather_rows(rows.value(), cache.place_)) : rows;
  };
  return apply_output(cache.weights_, h, of_place(output_bias_), of_place(placement_strengths_),
                      placement)
      .value()
      .reshape({B, config_.num_bins});
}

void KvCache::advance() {
  tensor::advance(place_);
  ++length_;
}

void KvCache::set_length(std::int64_t length) {
  length_ = length;
  const auto at = static_cast<std::int32_t>(length);
  place_.set_index_bounds({at, at});
}

void KvCache::select(std::span<const std::int64_t> from) {
  for (auto& layer : layers_)
    if (!planted(Defect::selection_keeps_rows)) layer = tensor::select_rows(layer, length_, from);
  const std::vector<std::int32_t> rows(from.begin(), from.end());
  const Tensor index =
      Tensor::from_indices(rows, {std::ssize(rows)}, input_table_.value().backend());
  atoms_ = gathered(atoms_, index);
  if (atoms_by_number_.defined()) atoms_by_number_ = by_number(atoms_.value());
  global_memory_ = gathered(global_memory_, index);
  for (auto& memory : memories_) memory = gathered(memory, index);
  batch_ = static_cast<std::int64_t>(from.size());
}

}  // namespace arbg::nn
