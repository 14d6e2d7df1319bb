// The slope of a training loss along log q of each molecule.
//
//   y_b = (-1 + weight clamp(log_q_b - log_target_b - centre, -clip, clip)) / divisor_b
//
// the derivative of [-log q + weight H(log q - log_target - centre)] / divisor, H the quadratic
// with linear ends beyond clip (Huber). NaN where log_q_b - log_target_b - centre is not finite, as
// the loss is not: a gradient that changes nothing (clip_scale.h). log_q, log_target, divisor
// float64 [B]; numbers float64 [3]: weight, centre, clip. y [B] real numbers, computed in double.
// Throws Error if shapes, number types or backends do not fit together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor log_q_slopes(const Tensor& log_q, const Tensor& log_target, const Tensor& divisor,
                    const Tensor& numbers);

// The implementations, one a backend; their inputs have been checked. That of the reference serves
// the cpu too.
namespace reference {
void log_q_slopes(const Tensor& log_q, const Tensor& log_target, const Tensor& divisor,
                  const Tensor& numbers, Tensor& y);
}  // namespace reference
namespace cpu {
using reference::log_q_slopes;
}  // namespace cpu
namespace cuda {
void log_q_slopes(const Tensor& log_q, const Tensor& log_target, const Tensor& divisor,
                  const Tensor& numbers, Tensor& y);
}  // namespace cuda

}  // namespace arbg::tensor
