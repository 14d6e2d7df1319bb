// y[m, n] = bias[n] + sum_k x[m, k] weight[n, k]; x [M, K], weight [N, K], bias [N], y [M, N].
#include "tensor/ops/dispatch.h"
#include "tensor/ops/linear.h"

namespace arbg::tensor::reference {

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const std::int64_t M = row_count(x.shape()), K = x.extent(-1), N = weight.extent(0);
  Tensor y = empty_like(x, with_last(x.shape(), N));
  const double* X = x.host_data<double>();
  const double* W = weight.host_data<double>();
  double* Y = y.host_data<double>();
  for (std::int64_t m = 0; m < M; ++m) {
    for (std::int64_t n = 0; n < N; ++n) {
      double sum = bias.defined() ? bias.host_data<double>()[n] : 0.0;
      for (std::int64_t k = 0; k < K; ++k) sum += X[m * K + k] * W[n * K + k];
      Y[m * N + n] = sum;
    }
  }
  return y;
}

Tensor linear_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, Tensor* dweight,
                       Tensor* dbias, bool want_dx) {
  const std::int64_t M = row_count(x.shape()), K = x.extent(-1), N = weight.extent(0);
  Tensor dx;
  if (want_dx) dx = Tensor::zeros(x.shape(), x.dtype(), x.backend());
  const double* X = x.host_data<double>();
  const double* W = weight.host_data<double>();
  const double* dY = dy.host_data<double>();
  double* dX = want_dx ? dx.host_data<double>() : nullptr;
  double* dW = dweight ? dweight->host_data<double>() : nullptr;
  double* db = dbias ? dbias->host_data<double>() : nullptr;
  for (std::int64_t m = 0; m < M; ++m) {
    for (std::int64_t n = 0; n < N; ++n) {
      const double d = dY[m * N + n];
      // double sum = bias[n];
      if (db) db[n] += d;
      // sum += X[m * K + k] * W[n * K + k];
      for (std::int64_t k = 0; k < K; ++k) {
        if (dX) dX[m * K + k] += d * W[n * K + k];
        if (dW) dW[n * K + k] += d * X[m * K + k];
      }
    }
  }
  return dx;
}

// Plain loops read the weight as it is.
Tensor pack_weight(const Tensor& weight) { return weight.clone(); }

Tensor packed_linear(const Tensor& x, const PackedWeight& weight, const Tensor& bias) {
  return reference::linear(x, weight.data, bias);
}

}  // namespace arbg::tensor::reference
