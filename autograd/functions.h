// The catalogue of differentiable functions, a formula a line; shapes and errors are those of
// tensor/ops.
//
// An argument that is a Variable is differentiated; tensors and plain numbers are not. Readers: who
// reads a result, or the gradients (tensor/gemm/precision.h).
#pragma once

#include "autograd/variable.h"
#include "tensor/gemm/precision.h"
#include "tensor/ops/place.h"

namespace arbg::autograd {

using tensor::Readers;

Variable linear(const Variable& x, const Variable& weight, const Variable& bias = {});  // x W^T + b
Variable matmul(const Variable& a, const Variable& b);           // a b, plain matrices
Variable embedding(const Variable& table, const Tensor& index);  // table[index, :]
Variable rmsnorm(const Variable& x, const Variable& weight, double epsilon,
                 Readers readers = Readers::all);  // x / sqrt(mean(x^2) + epsilon) * weight
Variable layernorm(const Variable& x, const Variable& weight, const Variable& bias,
                   double epsilon);  // (x - mean) / sqrt(variance + epsilon) * weight + bias
Variable causal_attention(
    const Variable& qkv, int heads, Readers of_y = Readers::all,
    Readers of_gradients = Readers::all);  // softmax(q k^T / sqrt(D), causal) v, head by head
Variable cross_attention(const Variable& q, const Variable& k, const Variable& v,
                         const Tensor& count,
                         int heads);  // softmax(q k^T / sqrt(D), the first count keys) v
Variable swiglu(const Variable& gate, const Variable& up, Readers of_y = Readers::all,
                Readers of_gradients = Readers::all);         // silu(gate) * up
Variable gelu(const Variable& x);                             // x Phi(x)
Variable tanh_gate(const Variable& x, const Variable& gate);  // tanh(gate) x
Variable dropout(const Variable& x, double rate, const tensor::PlacedRandom& random,
                 std::int64_t first_row,
                 std::int64_t words_a_row = 0);  // x / (1 - rate) or 0
Variable log_prob(const Variable& logits,
                  const Tensor& index);  // logits[index] - log sum exp(logits)

Variable add(const Variable& a, const Variable& b);          // a + b, same shape
Variable add_rows(const Variable& x, const Variable& rows);  // x[b, t, :] + rows[t, :]
Variable concat(const Variable& a, const Variable& b);       // [a | b] along the last axis
Variable rows(const Variable& x, std::int64_t first, std::int64_t count);  // of the first axis
Variable mask_rows(const Variable& x, const Tensor& count,
                   double value);  // x[b, t, ...] for t < count[b], value behind
Variable tilt(const Variable& x, const Variable& g, const Tensor& u,
              const Tensor& slot);  // x[b, t, :] - sum_k g[b, t, k] u[b, slot[t], k, :]
Variable reshape(const Variable& x, const tensor::Shape& shape);  // the same numbers
Variable multiply(const Variable& a, const Variable& b);          // a * b, element by element
Variable scale(const Variable& x, double a);                      // a x
Variable square(const Variable& x);                               // x^2
Variable sum_last(const Variable& x);                             // sum over the last axis
Variable sum_all(const Variable& x);                              // sum of everything, [1]
Variable mean_all(const Variable& x);                             // mean of everything, [1]

}  // namespace arbg::autograd
