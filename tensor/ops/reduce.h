// Sums: over the last axis, and the sum and mean over everything, in double.
//
// The order of a sum depends on how many numbers it has and on nothing else: a row gives the same
// bits every time, alone and in a batch. The reference and the cpu go in index order.
//
// sum_last: x [..., T] -> [...]. sum_all, mean_all: x -> [1]. The backwards spread dy back over
// `shape`, the shape of x. The result is stored in the backend's own number type; the sum before
// that is not rounded to it, and sum_last_in_double keeps it as float64. Throws Error if shapes or
// number types do not fit together, or for the mean of no numbers.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor sum_last(const Tensor& x);
Tensor sum_last_backward(const Tensor& dy, const Shape& shape);
Tensor sum_last_in_double(const Tensor& x);
Tensor sum_all(const Tensor& x);
Tensor sum_all_backward(const Tensor& dy, const Shape& shape);
Tensor mean_all(const Tensor& x);
Tensor mean_all_backward(const Tensor& dy, const Shape& shape);

// The implementations, one a backend; their inputs have been checked. The sum over everything is
// sum_last of one row (y of either number type), and every backward is a repetition of each number
// of dy, times a factor.
namespace reference {
void sum_last(const Tensor& x, Tensor& y);
Tensor spread(const Tensor& dy, const Shape& shape, double factor);
}  // namespace reference
namespace cpu {
void sum_last(const Tensor& x, Tensor& y);
Tensor spread(const Tensor& dy, const Shape& shape, double factor);
}  // namespace cpu
namespace cuda {
void sum_last(const Tensor& x, Tensor& y);
Tensor spread(const Tensor& dy, const Shape& shape, double factor);
}  // namespace cuda

}  // namespace arbg::tensor
