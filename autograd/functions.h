// The catalogue of differentiable functions, a formula a line; shapes and errors are those of
// tensor/ops.
//
// An argument that is a Variable is differentiated; indices and plain numbers are not.
#pragma once

#include "autograd/variable.h"

namespace arbg::autograd {

Variable linear(const Variable& x, const Variable& weight, const Variable& bias = {});  // x W^T + b
Variable matmul(const Variable& a, const Variable& b);           // a b, plain matrices
Variable embedding(const Variable& table, const Tensor& index);  // table[index, :]
Variable rmsnorm(const Variable& x, const Variable& weight,
                 double epsilon);  // x / sqrt(mean(x^2) + epsilon) * weight
Variable causal_attention(const Variable& qkv,
                          int heads);  // softmax(q k^T / sqrt(D), causal) v, head by head
Variable swiglu(const Variable& gate, const Variable& up);  // silu(gate) * up
Variable gelu(const Variable& x);                           // x Phi(x)
Variable log_prob(const Variable& logits,
                  const Tensor& index);  // logits[index] - log sum exp(logits)

Variable add(const Variable& a, const Variable& b);          // a + b, same shape
Variable add_rows(const Variable& x, const Variable& rows);  // x[b, t, :] + rows[t, :]
Variable multiply(const Variable& a, const Variable& b);     // a * b, element by element
Variable scale(const Variable& x, double a);                 // a x
Variable square(const Variable& x);                          // x^2
Variable sum_last(const Variable& x);                        // sum over the last axis
Variable sum_all(const Variable& x);                         // sum of everything, [1]
Variable mean_all(const Variable& x);                        // mean of everything, [1]

}  // namespace arbg::autograd
