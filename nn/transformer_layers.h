// The layers of the transformer, once for training and for generation: h += Attn(RMSNorm(h)), then
// h += W3(silu(W1 n) * (W2 n)) + b with n = RMSNorm(h); at the end logits = W RMSNorm(h) [+ bias].
//
// Matrix is Variable, a parameter that can be differentiated, or PackedWeight, a copy laid out for
// many small products. `attend` maps qkv [..., 3C] to [..., C]: over whole sequences, or over a
// cache.
#pragma once

#include <vector>

#include "autograd/functions.h"
#include "tensor/ops/linear.h"

namespace arbg::nn {

using autograd::Variable;
using tensor::PackedWeight;

inline constexpr double kNormEpsilon = 1e-6;

template <class Matrix>
struct LayerWeights {
  Variable norm1;
  Matrix qkv, attention_out;
  Variable norm2;
  Matrix gate, up, down;
  Variable down_bias;
};

template <class Matrix>
struct LayersWeights {
  std::vector<LayerWeights<Matrix>> layers;
  Variable final_norm;
  Matrix output_proj;
};

inline Variable apply_linear(const Variable& x, const Variable& weight, const Variable& bias = {}) {
  return autograd::linear(x, weight, bias);
}
inline Variable apply_linear(const Variable& x, const PackedWeight& weight,
                             const Variable& bias = {}) {
  return Variable(tensor::linear(x.value(), weight, bias.value()));
}

template <class Matrix, class Attend>
Variable apply_layer(const LayerWeights<Matrix>& w, const Variable& input, const Attend& attend) {
  namespace ag = autograd;
  const Variable qkv = apply_linear(ag::rmsnorm(input, w.norm1, kNormEpsilon), w.qkv);
  const Variable h = ag::add(input, apply_linear(attend(qkv), w.attention_out));
  const Variable n = ag::rmsnorm(h, w.norm2, kNormEpsilon);
  const Variable hidden = ag::swiglu(apply_linear(n, w.gate), apply_linear(n, w.up));
  return ag::add(h, apply_linear(hidden, w.down, w.down_bias));
}

// `bias_rows`: the rows of output_bias for the positions of h, or undefined.
template <class Matrix>
Variable apply_output(const LayersWeights<Matrix>& w, const Variable& h,
                      const Variable& bias_rows) {
  const Variable logits =
      apply_linear(autograd::rmsnorm(h, w.final_norm, kNormEpsilon), w.output_proj);
  return bias_rows.defined() ? autograd::add_rows(logits, bias_rows) : logits;
}

}  // namespace arbg::nn
