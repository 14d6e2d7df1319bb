// A matrix turned over: y[c, r] = x[r, c].
//
// x [R, C] -> y [C, R]; the backward is transpose(dy). Products need no copy of a transposed
// matrix: linear.h multiplies by one. Throws Error if x is no matrix of real numbers.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor transpose(const Tensor& x);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor transpose(const Tensor& x);
}  // namespace reference
namespace cpu {
Tensor transpose(const Tensor& x);
}  // namespace cpu
namespace cuda {
Tensor transpose(const Tensor& x);
}  // namespace cuda

}  // namespace arbg::tensor
