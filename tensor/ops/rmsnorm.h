// Root-mean-square normalisation of the last axis: y = x / sqrt(mean(x^2) + epsilon) * weight.
//
// x [..., C], weight [C] -> y [..., C]; y as its readers want it (precision.h). The backward
// returns dx and adds into *dweight (null: not wanted). Source: Zhang and Sennrich, "Root Mean
// Square Layer Normalization", NeurIPS 2019, eq. 4. Throws Error if shapes, number types or
// backends do not fit together.
#pragma once

#include "tensor/gemm/precision.h"
#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor rmsnorm(const Tensor& x, const Tensor& weight, double epsilon,
               Readers readers = Readers::all);
Tensor rmsnorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                        Tensor* dweight);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor rmsnorm(const Tensor& x, const Tensor& weight, double epsilon, Readers readers);
Tensor rmsnorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                        Tensor* dweight);
}  // namespace reference
namespace cpu {
Tensor rmsnorm(const Tensor& x, const Tensor& weight, double epsilon, Readers readers);
Tensor rmsnorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                        Tensor* dweight);
}  // namespace cpu
namespace cuda {
Tensor rmsnorm(const Tensor& x, const Tensor& weight, double epsilon, Readers readers);
Tensor rmsnorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                        Tensor* dweight);
}  // namespace cuda

}  // namespace arbg::tensor
