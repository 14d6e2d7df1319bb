// A matrix applied to the last axis: y = x W^T + b.
//
// x [..., K], weight [N, K] (PyTorch's order), bias [N] or undefined -> y [..., N]. M below is all
// leading axes flattened. The backward returns dx = dy W, or an undefined tensor if want_dx is
// false, and adds dy^T x into *dweight and the column sums of dy into *dbias; a null pointer means
// that gradient is not wanted. x, and dy where there is no bias, may have been written for products
// alone (Readers, gemm/precision.h); y and dx are in full. Throws Error if shapes, number types or
// backends do not fit together.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);
Tensor linear_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, Tensor* dweight,
                       Tensor* dbias, bool want_dx);

// A copy of a weight in the order in which linear() reads it, for many calls with the same numbers
// and few rows: the same result bit for bit, without rearranging the weight each time. On cuda in
// the precision of products (gemm/precision.h) that it was made with.
struct PackedWeight {
  Tensor data;
  std::int64_t N = 0, K = 0;
};
PackedWeight pack_weight(const Tensor& weight);
Tensor linear(const Tensor& x, const PackedWeight& weight, const Tensor& bias);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);
Tensor linear_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, Tensor* dweight,
                       Tensor* dbias, bool want_dx);
Tensor pack_weight(const Tensor& weight);
Tensor packed_linear(const Tensor& x, const PackedWeight& weight, const Tensor& bias);
}  // namespace reference
namespace cpu {
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);
Tensor linear_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, Tensor* dweight,
                       Tensor* dbias, bool want_dx);
Tensor pack_weight(const Tensor& weight);
Tensor packed_linear(const Tensor& x, const PackedWeight& weight, const Tensor& bias);
}  // namespace cpu
namespace cuda {
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);
Tensor linear_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, Tensor* dweight,
                       Tensor* dbias, bool want_dx);
Tensor pack_weight(const Tensor& weight);
Tensor packed_linear(const Tensor& x, const PackedWeight& weight, const Tensor& bias);
}  // namespace cuda

}  // namespace arbg::tensor
