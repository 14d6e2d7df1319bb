// A running mean: y = a x + (1 - a) y, in place, computed as y += a (x - y).
//
// x and y have one shape. a = 0 leaves y as it is. Throws Error if shapes, number types or backends
// do not fit together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

void blend(Tensor& y, const Tensor& x, double a);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
void blend(Tensor& y, const Tensor& x, double a);
}  // namespace reference
namespace cpu {
void blend(Tensor& y, const Tensor& x, double a);
}  // namespace cpu
namespace cuda {
void blend(Tensor& y, const Tensor& x, double a);
}  // namespace cuda

}  // namespace arbg::tensor
