// A matrix applied to the last axis: y = x W^T + b.
//
// x [..., K], weight [N, K] (PyTorch's order), bias [N] or undefined -> y [..., N]. M below is all
// leading axes flattened. The backward returns dx = dy W, or an undefined tensor if want_dx is
// false, and adds dy^T x into *dweight and the column sums of dy into *dbias; a null pointer means
// that gradient is not wanted. Throws Error if shapes, number types or backends do not fit
// together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);
Tensor linear_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, Tensor* dweight,
                       Tensor* dbias, bool want_dx);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);
Tensor linear_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, Tensor* dweight,
                       Tensor* dbias, bool want_dx);
}  // namespace reference
namespace cpu {
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);
Tensor linear_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, Tensor* dweight,
                       Tensor* dbias, bool want_dx);
}  // namespace cpu

}  // namespace arbg::tensor
