// Bound by arithmetic where M, N and K are hundreds: 2 M N K operations, 4 bytes an element of each
// matrix.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/matmul.h"
#include "tensor/ops/product_cuda.h"

namespace arbg::tensor::cuda {

Tensor matmul(const Tensor& a, const Tensor& b) {
  const std::int64_t M = a.extent(0), K = a.extent(1), N = b.extent(1);
  Tensor y = empty_like(a, {M, N});
  product({M, N, K}, a, b, {}, y);
  return y;
}

MatmulGradients matmul_backward(const Tensor& dy, const Tensor& a, const Tensor& b) {
  const std::int64_t M = a.extent(0), K = a.extent(1), N = b.extent(1);
  MatmulGradients gradients{empty_like(a, a.shape()), empty_like(b, b.shape())};
  const Tensor dY = operand(dy);
  // product({M, N, K}, a, b, {}, y): y = a b.
  product({.M = M, .N = K, .K = N, .transpose_b = true}, dY, b, {}, gradients.da);
  product({.M = K, .N = N, .K = M, .transpose_a = true}, a, dY, {}, gradients.db);
  return gradients;
}

}  // namespace arbg::tensor::cuda
