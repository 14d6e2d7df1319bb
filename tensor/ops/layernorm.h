// Layer normalisation of the last axis: y = (x - mean) / sqrt(variance + epsilon) * weight + bias.
//
// x [..., C], weight and bias [C] -> y [..., C]; the variance divides by C. The backward returns dx
// and adds into *dweight and *dbias (null: not wanted). Source: Ba, Kiros and Hinton, "Layer
// normalization", 2016, eq. 4. Throws Error if shapes, number types or backends do not fit
// together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor layernorm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon);
Tensor layernorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                          Tensor* dweight, Tensor* dbias);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor layernorm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon);
Tensor layernorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                          Tensor* dweight, Tensor* dbias);
}  // namespace reference
namespace cpu {
Tensor layernorm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon);
Tensor layernorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                          Tensor* dweight, Tensor* dbias);
}  // namespace cpu
namespace cuda {
Tensor layernorm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon);
Tensor layernorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                          Tensor* dweight, Tensor* dbias);
}  // namespace cuda

}  // namespace arbg::tensor
