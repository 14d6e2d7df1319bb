// A running mean: y = a x + (1 - a) y, in place, computed as y += a (x - y).
//
// x and y have one shape. a = 0 leaves y as it is, and so does a scale of NaN, that of gradients by
// which x was to move (clip_scale.h). Both are [1], float64 on every backend, and read where the
// mean is made (numbers.h). Throws Error if shapes, number types or backends do not fit together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

void blend(Tensor& y, const Tensor& x, const Tensor& scale, const Tensor& a);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
void blend(Tensor& y, const Tensor& x, const Tensor& scale, const Tensor& a);
}  // namespace reference
namespace cpu {
void blend(Tensor& y, const Tensor& x, const Tensor& scale, const Tensor& a);
}  // namespace cpu
namespace cuda {
void blend(Tensor& y, const Tensor& x, const Tensor& scale, const Tensor& a);
}  // namespace cuda

}  // namespace arbg::tensor
