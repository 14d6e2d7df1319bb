// The square of the length of several tensors taken as one vector: y = sum over all of x^2.
//
// Tensors of any shapes on one backend -> y [1], float64 on every backend. Sums run in double, in an
// order that depends on the sizes alone: the same bits every time and for any thread count. The
// reference and the cpu go in index order within a tensor, then over the tensors. Throws Error if
// there are no tensors, or number types or backends do not fit together.
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor sum_of_squares(std::span<const Tensor> x);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
void sum_of_squares(std::span<const Tensor> x, Tensor& y);
}  // namespace reference
namespace cpu {
void sum_of_squares(std::span<const Tensor> x, Tensor& y);
}  // namespace cpu
namespace cuda {
void sum_of_squares(std::span<const Tensor> x, Tensor& y);
}  // namespace cuda

}  // namespace arbg::tensor
