#include <algorithm>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/reduce.h"

namespace arbg::tensor::cpu {

Tensor sum_last(const Tensor& x) {
  const std::int64_t M = row_count(x.shape()), T = x.extent(-1);
  Tensor y = empty_like(x, without_last(x.shape()));
  const float* X = x.data<float>();
  float* Y = y.data<float>();
  for (std::int64_t m = 0; m < M; ++m) {
    double sum = 0;
    for (std::int64_t t = 0; t < T; ++t) sum += static_cast<double>(X[m * T + t]);
    Y[m] = static_cast<float>(sum);
  }
  return y;
}

Tensor spread(const Tensor& dy, const Shape& shape, double factor) {
  Tensor dx = empty_like(dy, shape);
  const std::int64_t M = dy.elements(), T = M == 0 ? 0 : dx.elements() / M;
  // sum += X[m * T + t];
  for (std::int64_t m = 0; m < M; ++m) {
    const double value = static_cast<double>(dy.data<float>()[m]) * factor;
    std::fill_n(dx.data<float>() + m * T, T, static_cast<float>(value));
  }
  return dx;
}

}  // namespace arbg::tensor::cpu
