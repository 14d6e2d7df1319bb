// The layers of the transformer, once for training and for generation:
//
// h += Attn(norm(h)); [h += Cross(norm(h), c);] h += FF(norm(h)); at the end logits = W norm(h) [+
// bias] [- energies of bins, placement.h]. norm is RMSNorm, or LayerNorm where there is a bias. FF
// is W3(silu(W1 n) * (W2 n)) + b3, or W3 gelu(W2 n + b2) + b3 where there is no W1. Cross is
// multi-head attention from h to the vectors c of the atoms, optionally with RMSNorm of every
// head's q and k and scaled by tanh(gate). Dropout is of what an attention gives before it is
// added, and of the hidden layer of FF.
//
// Matrix is Variable, a parameter that can be differentiated, or PackedWeight, a copy laid out for
// many small products. `attend` maps qkv [..., 3 H D] to [..., H D]: over whole sequences, or over
// a cache.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "autograd/functions.h"
#include "nn/transformer/module.h"
#include "nn/transformer/placement.h"
#include "tensor/base/streams.h"
#include "tensor/ops/linear.h"

namespace arbg::nn {

using tensor::PackedWeight;
using tensor::Readers;

inline constexpr double kNormEpsilon = 1e-6, kLayerNormEpsilon = 1e-5;

template <class Matrix>
struct LinearWeights {
  Matrix weight;
  Variable bias;  // or undefined
};

struct NormWeights {
  Variable weight, bias;  // bias: LayerNorm, undefined: RMSNorm
};

template <class Matrix>
struct CrossWeights {
  NormWeights norm;  // weight undefined: h is taken as it is
  LinearWeights<Matrix> query, out;
  LinearWeights<Variable> key_value;  // [2 H D, C], the keys' rows first; used once a sequence
  Variable query_norm, key_norm;      // [D], or undefined
  Variable gate;                      // [1], or undefined
};

template <class Matrix>
struct LayerWeights {
  NormWeights norm1;
  Matrix qkv, attention_out;
  std::optional<CrossWeights<Matrix>> cross;
  NormWeights norm2;
  std::optional<Matrix> gate;
  LinearWeights<Matrix> up, down;
};

template <class Matrix>
struct LayersWeights {
  NormWeights input_norm;  // weight undefined: none
  std::vector<LayerWeights<Matrix>> layers;
  NormWeights final_norm;
  Matrix output_proj;
  Variable placement_strength;  // S of placement.h, or undefined
};

// What cross-attention looks at: keys and values [B, N, H D], of which the first count[b] are
// atoms.
struct Memory {
  Variable keys, values;
  Tensor count;
};

// Which numbers are dropped is a function of (seed, step, place in the network, row of the batch):
// not of threads, shards, micro-batches or how much padding there is.
struct DropoutKey {
  std::uint64_t seed = 0;
  Tensor step;  // a place (tensor/ops/place.h): the step is read where the network is
  std::int64_t first_row = 0;
};

// Drops at one place of the network after the other; without a key nothing.
class Dropout {
 public:
  Dropout() = default;
  // Of a network that has at most `words_a_row` numbers a molecule at such a place.
  Dropout(double rate, const DropoutKey& key, std::int64_t words_a_row)
      : rate_(rate), key_(key), words_a_row_(words_a_row) {}

  bool drops() const { return rate_ > 0; }
  Variable operator()(const Variable& x) {
    if (!drops()) return x;
    const std::string place = std::string(streams::kDropout) + std::to_string(places_++);
    const tensor::PlacedRandom random{key_.seed, philox::purpose_of(place), key_.step};
    return autograd::dropout(x, rate_, random, key_.first_row, words_a_row_);
  }

 private:
  double rate_ = 0;
  DropoutKey key_;
  std::int64_t words_a_row_ = 0;
  int places_ = 0;
};

inline Variable apply_linear(const Variable& x, const Variable& weight, const Variable& bias = {}) {
  return autograd::linear(x, weight, bias);
}
inline Variable apply_linear(const Variable& x, const PackedWeight& weight,
                             const Variable& bias = {}) {
  return Variable(tensor::linear(x.value(), weight, bias.value()));
}
template <class Matrix>
Variable apply_linear(const Variable& x, const LinearWeights<Matrix>& w) {
  return apply_linear(x, w.weight, w.bias);
}

// Read by apply_linear() alone, if nothing else is said.
inline Variable apply_norm(const Variable& x, const NormWeights& w,
                           Readers readers = Readers::products) {
  if (!w.weight.defined()) return x;
  return w.bias.defined() ? autograd::layernorm(x, w.weight, w.bias, kLayerNormEpsilon)
                          : autograd::rmsnorm(x, w.weight, kNormEpsilon, readers);
}

// RMSNorm of every head of x [B, T, H D]; weight [D], or undefined: x as it is.
inline Variable apply_head_norm(const Variable& x, const Variable& weight) {
  if (!weight.defined()) return x;
  const Shape& shape = x.value().shape();
  const std::int64_t D = weight.value().extent(0);
  const Variable heads = autograd::reshape(x, {shape[0], shape[1], shape[2] / D, D});
  return autograd::reshape(autograd::rmsnorm(heads, weight, kNormEpsilon), shape);
}

// c [B, N, C], the vectors of the atoms.
template <class Matrix>
Memory make_memory(const CrossWeights<Matrix>& w, const Variable& c, const Tensor& count) {
  const std::int64_t width = w.key_value.weight.value().extent(0) / 2;
  const auto half = [&](std::int64_t first) {
    const Variable part =
        w.key_value.bias.defined() ? autograd::rows(w.key_value.bias, first, width) : Variable();
    return apply_linear(c, autograd::rows(w.key_value.weight, first, width), part);
  };
  return {apply_head_norm(half(0), w.key_norm), half(width), count};
}

template <class Matrix>
Variable apply_cross(const CrossWeights<Matrix>& w, const Variable& h, const Memory& memory,
                     int heads) {
  const Variable q = apply_head_norm(apply_linear(apply_norm(h, w.norm), w.query), w.query_norm);
  const Variable y = apply_linear(
      autograd::cross_attention(q, memory.keys, memory.values, memory.count, heads), w.out);
  return w.gate.defined() ? autograd::tanh_gate(y, w.gate) : y;
}

template <class Matrix>
Variable apply_feed_forward(const LayerWeights<Matrix>& w, const Variable& n, Dropout& drop) {
  const Variable up = apply_linear(n, w.up);
  if (!w.gate) return apply_linear(drop(autograd::gelu(up)), w.down);
  const Readers of_hidden = drop.drops() ? Readers::all : Readers::products,
                of_gradients = w.up.bias.defined() ? Readers::all : Readers::products;
  const Variable hidden = autograd::swiglu(apply_linear(n, *w.gate), up, of_hidden, of_gradients);
  return apply_linear(drop(hidden), w.down);
}

// What the layers start from: `embedded`, plus the vectors of the atoms of h's positions if they
// are added, plus one look at all of them if there is a `global` attention.
template <class Matrix>
Variable apply_input(const NormWeights& norm, const Variable& embedded, const Variable& of_atoms,
                     const std::optional<CrossWeights<Matrix>>& global, const Memory& memory,
                     int heads, Dropout& drop) {
  namespace ag = autograd;
  Variable h = of_atoms.defined() ? ag::add(embedded, of_atoms) : embedded;
  if (global) h = ag::add(h, drop(apply_cross(*global, h, memory, heads)));
  return apply_norm(h, norm, Readers::all);
}

// `memory` is for layers with cross-attention.
template <class Matrix, class Attend>
Variable apply_layer(const LayerWeights<Matrix>& w, const Variable& input, const Attend& attend,
                     const Memory& memory, int heads, Dropout& drop) {
  namespace ag = autograd;
  const Variable qkv = apply_linear(apply_norm(input, w.norm1), w.qkv);
  Variable h = ag::add(input, drop(apply_linear(attend(qkv), w.attention_out)));
  if (w.cross) h = ag::add(h, drop(apply_cross(*w.cross, h, memory, heads)));
  return ag::add(h, apply_feed_forward(w, apply_norm(h, w.norm2), drop));
}

// `bias_rows`: the rows of output_bias for the positions of h, or undefined; `strength_rows`: those
// of the strengths of placement energies.
template <class Matrix>
Variable apply_output(const LayersWeights<Matrix>& w, const Variable& h, const Variable& bias_rows,
                      const Variable& strength_rows, const PlacementRows& placement) {
  namespace ag = autograd;
  const Variable n = apply_norm(h, w.final_norm);
  Variable logits = apply_linear(n, w.output_proj);
  if (bias_rows.defined()) logits = ag::add_rows(logits, bias_rows);
  if (!placement.energies.defined()) return logits;
  const Variable strength = ag::add_rows(apply_linear(n, w.placement_strength), strength_rows);
  return ag::tilt(logits, strength, placement.energies, placement.slot);
}

}  // namespace arbg::nn
