#include <algorithm>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/reduce.h"

namespace arbg::tensor::cpu {
namespace {

template <class Real>
void sum_rows(const Tensor& x, Tensor& y) {
  const std::int64_t M = y.elements(), T = x.extent(-1);
  const float* X = x.host_data<float>();
  Real* Y = y.host_data<Real>();
  for (std::int64_t m = 0; m < M; ++m) {
    double sum = 0;
    for (std::int64_t t = 0; t < T; ++t) sum += static_cast<double>(X[m * T + t]);
    Y[m] = static_cast<Real>(sum);
  }
}

}  // namespace

void sum_last(const Tensor& x, Tensor& y) {
  if (y.dtype() == DType::f64)
    sum_rows<double>(x, y);
  else
    sum_rows<float>(x, y);
}

Tensor spread(const Tensor& dy, const Shape& shape, double factor) {
  Tensor dx = empty_like(dy, shape);
  const std::int64_t M = dy.elements(), T = M == 0 ? 0 : dx.elements() / M;
  // sum += X[m * T + t];
  for (std::int64_t m = 0; m < M; ++m) {
    const double value = static_cast<double>(dy.host_data<float>()[m]) * factor;
    std::fill_n(dx.host_data<float>() + m * T, T, static_cast<float>(value));
  }
  return dx;
}

}  // namespace arbg::tensor::cpu
