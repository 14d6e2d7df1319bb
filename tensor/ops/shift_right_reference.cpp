// y[m, 0] = start, y[m, t] = tokens[m, t - 1]; all int32 [M, T].
#include "tensor/ops/dispatch.h"
#include "tensor/ops/shift_right.h"

namespace arbg::tensor::reference {

void shift_right(const Tensor& tokens, std::int32_t start, Tensor& y) {
  const std::int64_t M = row_count(tokens.shape()), T = tokens.extent(-1);
  const std::int32_t* X = tokens.host_data<std::int32_t>();
  std::int32_t* Y = y.host_data<std::int32_t>();
  for (std::int64_t m = 0; m < M; ++m) {
    for (std::int64_t t = 0; t < T; ++t) Y[m * T + t] = t == 0 ? start : X[m * T + t - 1];
  }
}

}  // namespace arbg::tensor::reference
