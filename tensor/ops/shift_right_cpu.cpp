#include <algorithm>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/shift_right.h"

namespace arbg::tensor::cpu {

void shift_right(const Tensor& tokens, std::int32_t start, Tensor& y) {
  const std::int64_t M = row_count(tokens.shape()), T = tokens.extent(-1);
  const std::int32_t* X = tokens.host_data<std::int32_t>();
  std::int32_t* Y = y.host_data<std::int32_t>();
  for (std::int64_t m = 0; m < M && T > 0; ++m) {
    Y[m * T] = start;
    std::copy_n(X + m * T, T - 1, Y + m * T + 1);
  }
}

}  // namespace arbg::tensor::cpu
