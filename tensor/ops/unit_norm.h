// A tensor taken as one vector, made one long: y = x / (|x| + epsilon), |x|^2 = sum over all of
// x^2.
//
// x of any shape -> y of its shape. The norm runs in double, in the order of sum_of_squares, and
// stays where it is computed. Throws Error if x does not hold real numbers.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor unit_norm(const Tensor& x, double epsilon);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor unit_norm(const Tensor& x, double epsilon);
}  // namespace reference
namespace cpu {
Tensor unit_norm(const Tensor& x, double epsilon);
}  // namespace cpu
namespace cuda {
Tensor unit_norm(const Tensor& x, double epsilon);
}  // namespace cuda

}  // namespace arbg::tensor
