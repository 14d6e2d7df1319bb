// The operations that have kernels for CUDA, in X_cuda.cu; contracts in X.h, inputs checked.
//
// Nothing is dispatched to them yet: they are compiled, and tested in the emulator
// (tests/emulator). Kernels run in the order of the calls, and a call returns before its kernels
// have run.
#pragma once

#include <span>

#include "tensor/ops/adamw_step.h"
#include "tensor/ops/swiglu.h"
#include "tensor/tensor.h"

namespace arbg::tensor::cuda {

Tensor rmsnorm(const Tensor& x, const Tensor& weight, double epsilon);
Tensor rmsnorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                        Tensor* dweight);

Tensor swiglu(const Tensor& gate, const Tensor& up);
SwigluGradients swiglu_backward(const Tensor& dy, const Tensor& gate, const Tensor& up);

Tensor embedding(const Tensor& table, const Tensor& index);
void embedding_backward(const Tensor& dy, const Tensor& index, Tensor* dtable);

Tensor log_prob(const Tensor& logits, const Tensor& index);
Tensor log_prob_backward(const Tensor& dy, const Tensor& logits, const Tensor& index);
Tensor log_softmax(const Tensor& logits);

// Throws Error if a head has more than 128 channels: what a block has room for.
Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved);

void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const AdamWStep& step);
void blend(Tensor& y, const Tensor& x, double a);
// In double, in an order that depends on the sizes alone: chunks of each tensor, then all chunks.
void sum_of_squares(std::span<const Tensor> x, Tensor& y);

}  // namespace arbg::tensor::cuda
