// Sinusoids of integers: y[..., c] = sin(n r_c) on even channels c, cos(n r_{c-1}) on odd ones, r_c
// = 10000^(-c / C).
//
// n int32 [...] -> y [..., C]. The functions are computed in double on every backend. Source:
// Vaswani et al., "Attention is all you need", NeurIPS 2017. Throws Error if n are no indices.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor sinusoid(const Tensor& n, std::int64_t channels);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
void sinusoid(const Tensor& n, Tensor& y);
}  // namespace reference
namespace cpu {
void sinusoid(const Tensor& n, Tensor& y);
}  // namespace cpu
namespace cuda {
void sinusoid(const Tensor& n, Tensor& y);
}  // namespace cuda

}  // namespace arbg::tensor
