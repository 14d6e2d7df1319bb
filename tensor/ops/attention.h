// Causal multi-head self-attention: y_t = sum_{s<=t} softmax_s(q_t . k_s / sqrt(D)) v_s, head by
// head.
//
// qkv [B, T, 3C] holds q | k | v, each split into `heads` heads of D = C / heads channels; y is [B,
// T, C]. `saved`, if not null, receives what the backward needs beside qkv: log sum_s exp(score),
// [B, heads, T]. The cached step attends from token t alone, qkv [B, 3C]: it writes token t into
// keys [B, C, T] (token fastest: scores are sums of rows) and values [B, T, C] and reads tokens 0
// ... t, summing in the same order as the full form: the result is bitwise its row t. Source:
// Vaswani et al., "Attention Is All You Need", NeurIPS 2017, eq. 1. Throws Error if shapes, number
// types or backends do not fit together, heads does not divide C, or t is outside.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved);
Tensor causal_attention_backward(const Tensor& dy, const Tensor& qkv, const Tensor& saved,
                                 int heads);  // dqkv
Tensor cached_attention(const Tensor& qkv, Tensor& keys, Tensor& values, std::int64_t t, int heads);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved);
Tensor causal_attention_backward(const Tensor& dy, const Tensor& qkv, const Tensor& saved,
                                 int heads);
Tensor cached_attention(const Tensor& qkv, Tensor& keys, Tensor& values, std::int64_t t, int heads);
}  // namespace reference
namespace cpu {
Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved);
Tensor causal_attention_backward(const Tensor& dy, const Tensor& qkv, const Tensor& saved,
                                 int heads);
Tensor cached_attention(const Tensor& qkv, Tensor& keys, Tensor& values, std::int64_t t, int heads);
}  // namespace cpu

}  // namespace arbg::tensor
