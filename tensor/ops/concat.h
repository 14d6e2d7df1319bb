// Tensors side by side: y = [a | b] along the last axis.
//
// a [..., A], b [..., B] -> y [..., A + B]; the backward cuts dy [..., A + B] into da [..., A] and
// db. Throws Error if the leading axes, number types or backends differ, or dy has fewer than A
// columns.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace arbg::tensor {

struct ConcatGradients {
  Tensor da, db;
};

Tensor concat(const Tensor& a, const Tensor& b);
ConcatGradients concat_backward(const Tensor& dy, std::int64_t columns_of_a);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor concat(const Tensor& a, const Tensor& b);
ConcatGradients concat_backward(const Tensor& dy, std::int64_t columns_of_a);
}  // namespace reference
namespace cpu {
Tensor concat(const Tensor& a, const Tensor& b);
ConcatGradients concat_backward(const Tensor& dy, std::int64_t columns_of_a);
}  // namespace cpu
namespace cuda {
Tensor concat(const Tensor& a, const Tensor& b);
ConcatGradients concat_backward(const Tensor& dy, std::int64_t columns_of_a);
}  // namespace cuda

}  // namespace arbg::tensor
