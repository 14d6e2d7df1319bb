// Padding overwritten: y[b, t, ...] = x[b, t, ...] for t < count[b], and `value` behind.
//
// x [B, T, ...], count int32 [B], 0 <= count[b] <= T -> y of the shape of x; whatever stands in the
// padding, NaN too, is gone. Linear in x but for the value: the backward is mask_rows(dy, count,
// 0). Throws Error if a count is outside, or if shapes, number types or backends do not fit
// together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor mask_rows(const Tensor& x, const Tensor& count, double value);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor mask_rows(const Tensor& x, const Tensor& count, double value);
}  // namespace reference
namespace cpu {
Tensor mask_rows(const Tensor& x, const Tensor& count, double value);
}  // namespace cpu
namespace cuda {
Tensor mask_rows(const Tensor& x, const Tensor& count, double value);
}  // namespace cuda

}  // namespace arbg::tensor
