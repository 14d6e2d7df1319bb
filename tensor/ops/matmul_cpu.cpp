#include "tensor/gemm/product_cpu.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/matmul.h"

namespace arbg::tensor::cpu {

Tensor matmul(const Tensor& a, const Tensor& b) {
  const std::int64_t M = a.extent(0), K = a.extent(1), N = b.extent(1);
  Tensor y = empty_like(a, {M, N});
  product(M, N, K, row_major(a.host_data<float>(), K), row_major(b.host_data<float>(), N),
          y.host_data<float>(), false);
  return y;
}

MatmulGradients matmul_backward(const Tensor& dy, const Tensor& a, const Tensor& b) {
  const std::int64_t M = a.extent(0), K = a.extent(1), N = b.extent(1);
  const MatrixView A = row_major(a.host_data<float>(), K), B = row_major(b.host_data<float>(), N);
  const MatrixView dY = row_major(dy.host_data<float>(), N);
  MatmulGradients gradients{empty_like(a, a.shape()), empty_like(b, b.shape())};
  // product(M, N, K, A, B, Y, false): Y = A B.
  product(M, K, N, dY, B.transposed(), gradients.da.host_data<float>(), false);
  product(K, N, M, A.transposed(), dY, gradients.db.host_data<float>(), false);
  return gradients;
}

}  // namespace arbg::tensor::cpu
