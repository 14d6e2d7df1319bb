// y[c, r] = x[r, c]; x [R, C], y [C, R].
#include "tensor/ops/dispatch.h"
#include "tensor/ops/transpose.h"

namespace arbg::tensor::reference {

Tensor transpose(const Tensor& x) {
  const std::int64_t R = x.extent(0), C = x.extent(1);
  Tensor y = empty_like(x, {C, R});
  const double* X = x.host_data<double>();
  double* Y = y.host_data<double>();
  for (std::int64_t r = 0; r < R; ++r) {
    for (std::int64_t c = 0; c < C; ++c) Y[c * R + r] = X[r * C + c];
  }
  return y;
}

}  // namespace arbg::tensor::reference
