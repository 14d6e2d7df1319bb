// Causal multi-head self-attention: y_t = sum_{s<=t} softmax_s(q_t . k_s / sqrt(D)) v_s, head by
// head.
//
// qkv [B, T, 3C] holds q | k | v, each split into `heads` heads of D = C / heads channels; y is [B,
// T, C]. `saved`, if not null, receives what the backward needs beside qkv: log sum_s exp(score),
// [B, heads, T]. Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, eq. 1. Throws
// Error if shapes, number types or backends do not fit together, or heads does not divide C. Token
// by token: cached_attention.h.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved);
Tensor causal_attention_backward(const Tensor& dy, const Tensor& qkv, const Tensor& saved,
                                 int heads);  // dqkv

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved);
Tensor causal_attention_backward(const Tensor& dy, const Tensor& qkv, const Tensor& saved,
                                 int heads);
}  // namespace reference
namespace cpu {
Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved);
Tensor causal_attention_backward(const Tensor& dy, const Tensor& qkv, const Tensor& saved,
                                 int heads);
}  // namespace cpu

}  // namespace arbg::tensor
