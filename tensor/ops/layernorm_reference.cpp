// y[m, c] = (x[m, c] - mean) / sqrt(variance + epsilon) weight[c] + bias[c], mean and variance of
// row m; x, y [M, C], weight, bias [C].
#include <cmath>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/layernorm.h"

namespace arbg::tensor::reference {
namespace {

// Of one row of C numbers: its mean, and r = 1 / sqrt(variance + epsilon).
struct Moments {
  double mean, r;
};

Moments moments(const double* x, std::int64_t C, double epsilon) {
  double sum = 0, squares = 0;
  for (std::int64_t c = 0; c < C; ++c) sum += x[c];
  const double mean = sum / static_cast<double>(C);
  for (std::int64_t c = 0; c < C; ++c) squares += (x[c] - mean) * (x[c] - mean);
  return {mean, 1.0 / std::sqrt(squares / static_cast<double>(C) + epsilon)};
}

}  // namespace

Tensor layernorm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon) {
  const std::int64_t M = row_count(x.shape()), C = x.extent(-1);
  Tensor y = empty_like(x, x.shape());
  const double* X = x.host_data<double>();
  const double* W = weight.host_data<double>();
  const double* b = bias.host_data<double>();
  double* Y = y.host_data<double>();
  for (std::int64_t m = 0; m < M; ++m) {
    const auto [mean, r] = moments(X + m * C, C, epsilon);
    for (std::int64_t c = 0; c < C; ++c) Y[m * C + c] = (X[m * C + c] - mean) * r * W[c] + b[c];
  }
  return y;
}

Tensor layernorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                          Tensor* dweight, Tensor* dbias) {
  const std::int64_t M = row_count(x.shape()), C = x.extent(-1);
  Tensor dx = empty_like(x, x.shape());
  const double* dY = dy.host_data<double>();
  const double* X = x.host_data<double>();
  const double* W = weight.host_data<double>();
  double* dX = dx.host_data<double>();
  for (std::int64_t m = 0; m < M; ++m) {
    const auto [mean, r] = moments(X + m * C, C, epsilon);
    // Y[m * C + c] = (X[m * C + c] - mean) * r * W[c] + b[c]; with n = (X - mean) r the normalised
    // row and g = dY W, dX = r (g - mean(g) - n mean(g n)).
    double sum_g = 0, sum_gn = 0;
    for (std::int64_t c = 0; c < C; ++c) {
      const double d = dY[m * C + c], n = (X[m * C + c] - mean) * r;
      sum_g += d * W[c];
      sum_gn += d * W[c] * n;
      if (dweight) dweight->host_data<double>()[c] += d * n;
      if (dbias) dbias->host_data<double>()[c] += d;
    }
    for (std::int64_t c = 0; c < C; ++c) {
      const double n = (X[m * C + c] - mean) * r;
      dX[m * C + c] = r * (dY[m * C + c] * W[c] - (sum_g + n * sum_gn) / static_cast<double>(C));
    }
  }
  return dx;
}

}  // namespace arbg::tensor::reference
