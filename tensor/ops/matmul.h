// The product of two plain matrices: y = a b.
//
// a [M, K], b [K, N] -> y [M, N]. The backward returns da = dy b^T and db = a^T dy.
// Throws Error if shapes, number types or backends do not fit together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

struct MatmulGradients {
  Tensor da, db;
};

Tensor matmul(const Tensor& a, const Tensor& b);
MatmulGradients matmul_backward(const Tensor& dy, const Tensor& a, const Tensor& b);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor matmul(const Tensor& a, const Tensor& b);
MatmulGradients matmul_backward(const Tensor& dy, const Tensor& a, const Tensor& b);
}  // namespace reference
namespace cpu {
Tensor matmul(const Tensor& a, const Tensor& b);
MatmulGradients matmul_backward(const Tensor& dy, const Tensor& a, const Tensor& b);
}  // namespace cpu
namespace cuda {
Tensor matmul(const Tensor& a, const Tensor& b);
MatmulGradients matmul_backward(const Tensor& dy, const Tensor& a, const Tensor& b);
}  // namespace cuda

}  // namespace arbg::tensor
