// y[m, n] = sum_k a[m, k] b[k, n]; a [M, K], b [K, N], y [M, N].
#include "tensor/ops/dispatch.h"
#include "tensor/ops/matmul.h"

namespace arbg::tensor::reference {

Tensor matmul(const Tensor& a, const Tensor& b) {
  const std::int64_t M = a.extent(0), K = a.extent(1), N = b.extent(1);
  Tensor y = Tensor::zeros({M, N}, a.dtype(), a.backend());
  const double* A = a.host_data<double>();
  const double* B = b.host_data<double>();
  double* Y = y.host_data<double>();
  for (std::int64_t m = 0; m < M; ++m) {
    for (std::int64_t k = 0; k < K; ++k) {
      for (std::int64_t n = 0; n < N; ++n) Y[m * N + n] += A[m * K + k] * B[k * N + n];
    }
  }
  return y;
}

MatmulGradients matmul_backward(const Tensor& dy, const Tensor& a, const Tensor& b) {
  const std::int64_t M = a.extent(0), K = a.extent(1), N = b.extent(1);
  MatmulGradients gradients{Tensor::zeros(a.shape(), a.dtype(), a.backend()),
                            Tensor::zeros(b.shape(), b.dtype(), b.backend())};
  const double* A = a.host_data<double>();
  const double* B = b.host_data<double>();
  const double* dY = dy.host_data<double>();
  double* dA = gradients.da.host_data<double>();
  double* dB = gradients.db.host_data<double>();
  for (std::int64_t m = 0; m < M; ++m) {
    for (std::int64_t k = 0; k < K; ++k) {
      // Y[m * N + n] += A[m * K + k] * B[k * N + n];
      for (std::int64_t n = 0; n < N; ++n) {
        dA[m * K + k] += dY[m * N + n] * B[k * N + n];
        dB[k * N + n] += dY[m * N + n] * A[m * K + k];
      }
    }
  }
  return gradients;
}

}  // namespace arbg::tensor::reference
