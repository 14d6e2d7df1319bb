// y[m, c] = x[m, c] r weight[c], r = 1 / sqrt(mean of row m of x^2 + epsilon); x, y [M, C], weight
// [C].
#include <cmath>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/rmsnorm.h"

namespace arbg::tensor::reference {
namespace {

// 1 / sqrt(mean(x^2) + epsilon) of one row of C numbers.
double inverse_rms(const double* x, std::int64_t C, double epsilon) {
  double sum = 0;
  for (std::int64_t c = 0; c < C; ++c) sum += x[c] * x[c];
  return 1.0 / std::sqrt(sum / static_cast<double>(C) + epsilon);
}

}  // namespace

Tensor rmsnorm(const Tensor& x, const Tensor& weight, double epsilon, Readers) {
  const std::int64_t M = row_count(x.shape()), C = x.extent(-1);
  Tensor y = empty_like(x, x.shape());
  const double* X = x.host_data<double>();
  const double* W = weight.host_data<double>();
  double* Y = y.host_data<double>();
  for (std::int64_t m = 0; m < M; ++m) {
    const double r = inverse_rms(X + m * C, C, epsilon);
    for (std::int64_t c = 0; c < C; ++c) Y[m * C + c] = X[m * C + c] * r * W[c];
  }
  return y;
}

Tensor rmsnorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                        Tensor* dweight) {
  const std::int64_t M = row_count(x.shape()), C = x.extent(-1);
  Tensor dx = empty_like(x, x.shape());
  const double* dY = dy.host_data<double>();
  const double* X = x.host_data<double>();
  const double* W = weight.host_data<double>();
  double* dX = dx.host_data<double>();
  double* dW = dweight ? dweight->host_data<double>() : nullptr;
  for (std::int64_t m = 0; m < M; ++m) {
    const double r = inverse_rms(X + m * C, C, epsilon);
    // Y[m * C + c] = X[m * C + c] * r * W[c], where r depends on every X of the row: dr/dX = -r^3 X
    // / C.
    double dr = 0;
    for (std::int64_t c = 0; c < C; ++c) {
      dr += dY[m * C + c] * X[m * C + c] * W[c];
      if (dW) dW[c] += dY[m * C + c] * X[m * C + c] * r;
    }
    const double through_r = -dr * r * r * r / static_cast<double>(C);
    for (std::int64_t c = 0; c < C; ++c)
      dX[m * C + c] = dY[m * C + c] * r * W[c] + through_r * X[m * C + c];
  }
  return dx;
}

}  // namespace arbg::tensor::reference
