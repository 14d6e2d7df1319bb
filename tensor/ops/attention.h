// Multi-head attention: y_t = sum_s softmax_s(q_t . k_s / sqrt(D)) v_s, head by head, over the
// tokens s <= t of the same sequence (causal) or over the entries of another one (cross).
//
// Causal: qkv [B, T, 3C] holds q | k | v. Cross: q [B, T, C]; k, v [B, N, C]; count int32 [B], 1 <=
// count[b] <= N, says how many entries are there: those behind are padding that nothing looks at,
// and get no gradient. Heads split C into D = C / heads channels each; y is [B, T, C]. `saved`, if
// not null, receives what the backward needs beside its inputs: log sum_s exp(score), [B, heads,
// T]. With products of bf16 on cuda, what is `saved` for a backward is computed on tensor cores, of
// inputs rounded to bf16; y and dqkv then as their readers want them (precision.h). Source: Vaswani
// et al., "Attention Is All You Need", NeurIPS 2017, eq. 1. Throws Error if shapes, number types or
// backends do not fit together, heads does not divide C, or a count is outside. Token by token:
// cached_attention.h.
#pragma once

#include <cstdint>

#include "tensor/gemm/precision.h"
#include "tensor/tensor.h"

namespace arbg::tensor {

struct CrossAttentionGradients {
  Tensor dq, dk, dv;
};

Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved,
                        Readers readers = Readers::all);
Tensor causal_attention_backward(const Tensor& dy, const Tensor& qkv, const Tensor& saved,
                                 int heads, Readers readers = Readers::all);  // dqkv
Tensor cross_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& count,
                       int heads, Tensor* saved);
CrossAttentionGradients cross_attention_backward(const Tensor& dy, const Tensor& q, const Tensor& k,
                                                 const Tensor& v, const Tensor& count,
                                                 const Tensor& saved, int heads);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved, Readers readers);
Tensor causal_attention_backward(const Tensor& dy, const Tensor& qkv, const Tensor& saved,
                                 int heads, Readers readers);
Tensor cross_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& count,
                       int heads, Tensor* saved);
CrossAttentionGradients cross_attention_backward(const Tensor& dy, const Tensor& q, const Tensor& k,
                                                 const Tensor& v, const Tensor& count,
                                                 const Tensor& saved, int heads);
}  // namespace reference
namespace cpu {
Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved, Readers readers);
Tensor causal_attention_backward(const Tensor& dy, const Tensor& qkv, const Tensor& saved,
                                 int heads, Readers readers);
Tensor cross_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& count,
                       int heads, Tensor* saved);
CrossAttentionGradients cross_attention_backward(const Tensor& dy, const Tensor& q, const Tensor& k,
                                                 const Tensor& v, const Tensor& count,
                                                 const Tensor& saved, int heads);
}  // namespace cpu
namespace cuda {
Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved, Readers readers);
Tensor causal_attention_backward(const Tensor& dy, const Tensor& qkv, const Tensor& saved,
                                 int heads, Readers readers);
Tensor cross_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& count,
                       int heads, Tensor* saved);
CrossAttentionGradients cross_attention_backward(const Tensor& dy, const Tensor& q, const Tensor& k,
                                                 const Tensor& v, const Tensor& count,
                                                 const Tensor& saved, int heads);
}  // namespace cuda

}  // namespace arbg::tensor
