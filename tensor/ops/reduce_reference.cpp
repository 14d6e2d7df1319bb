// sum_last: y[m] = sum_t x[m, t]; x [M, T], y [M].
// spread, the backward of every sum: dx[m, t] = factor dy[m].
#include "tensor/ops/dispatch.h"
#include "tensor/ops/reduce.h"

namespace arbg::tensor::reference {

void sum_last(const Tensor& x, Tensor& y) {
  const std::int64_t M = y.elements(), T = x.extent(-1);
  for (std::int64_t m = 0; m < M; ++m) {
    double sum = 0;
    for (std::int64_t t = 0; t < T; ++t) sum += x.host_data<double>()[m * T + t];
    y.host_data<double>()[m] = sum;
  }
}

Tensor spread(const Tensor& dy, const Shape& shape, double factor) {
  Tensor dx = empty_like(dy, shape);
  const std::int64_t M = dy.elements(), T = M == 0 ? 0 : dx.elements() / M;
  for (std::int64_t m = 0; m < M; ++m) {
    // sum += x[m * T + t];
    for (std::int64_t t = 0; t < T; ++t)
      dx.host_data<double>()[m * T + t] = dy.host_data<double>()[m] * factor;
  }
  return dx;
}

}  // namespace arbg::tensor::reference
