// What to multiply gradients with, so that their norm is at most the largest: min(1, largest /
// (norm + 1e-6)), norm^2 = squares[0].
//
// squares float64 [1], as of sum_of_squares -> float64 [1]. NaN where the norm is not finite: the
// optimisers' steps then leave everything as it is (adamw_step.h, nesterov_step.h, blend.h).
// largest infinity: 1. As torch.nn.utils.clip_grad_norm_. Throws Error if largest is not positive
// or squares is not one float64 number.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor clip_scale(const Tensor& squares, double largest);

inline constexpr double kClipEpsilon = 1e-6;

// The implementations, one a backend; their inputs have been checked. One number in double is the
// same on the reference and the cpu.
namespace reference {
void clip_scale(const Tensor& squares, double largest, Tensor& scale);
}  // namespace reference
namespace cpu {
using reference::clip_scale;
}  // namespace cpu
namespace cuda {
void clip_scale(const Tensor& squares, double largest, Tensor& scale);
}  // namespace cuda

}  // namespace arbg::tensor
