// Functions of one number, or of two at the same place, applied to whole tensors of any shape.
//
// scale: a x. multiply: a b. square: x^2. gelu: x Phi(x), Phi the normal distribution function (the
// exact form). The backward of scale is scale(dy, a). Each backward returns gradients of the shape
// of its inputs. Throws Error if shapes, number types or backends do not fit together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

struct MultiplyGradients {
  Tensor da, db;
};

Tensor scale(const Tensor& x, double a);
Tensor multiply(const Tensor& a, const Tensor& b);
MultiplyGradients multiply_backward(const Tensor& dy, const Tensor& a, const Tensor& b);
Tensor square(const Tensor& x);
Tensor square_backward(const Tensor& dy, const Tensor& x);
Tensor gelu(const Tensor& x);
Tensor gelu_backward(const Tensor& dy, const Tensor& x);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor scale(const Tensor& x, double a);
Tensor multiply(const Tensor& a, const Tensor& b);
Tensor square(const Tensor& x);
Tensor square_backward(const Tensor& dy, const Tensor& x);
Tensor gelu(const Tensor& x);
Tensor gelu_backward(const Tensor& dy, const Tensor& x);
}  // namespace reference
namespace cpu {
Tensor scale(const Tensor& x, double a);
Tensor multiply(const Tensor& a, const Tensor& b);
Tensor square(const Tensor& x);
Tensor square_backward(const Tensor& dy, const Tensor& x);
Tensor gelu(const Tensor& x);
Tensor gelu_backward(const Tensor& dy, const Tensor& x);
}  // namespace cpu
namespace cuda {
Tensor scale(const Tensor& x, double a);
Tensor multiply(const Tensor& a, const Tensor& b);
Tensor square(const Tensor& x);
Tensor square_backward(const Tensor& dy, const Tensor& x);
Tensor gelu(const Tensor& x);
Tensor gelu_backward(const Tensor& dy, const Tensor& x);
}  // namespace cuda

}  // namespace arbg::tensor
