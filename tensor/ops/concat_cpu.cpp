#include <algorithm>

#include "tensor/ops/concat.h"
#include "tensor/ops/dispatch.h"

namespace arbg::tensor::cpu {

Tensor concat(const Tensor& a, const Tensor& b) {
  const std::int64_t M = row_count(a.shape()), A = a.extent(-1), B = b.extent(-1);
  Tensor y = empty_like(a, with_last(a.shape(), A + B));
  float* Y = y.host_data<float>();
  for (std::int64_t m = 0; m < M; ++m) {
    std::copy_n(a.host_data<float>() + m * A, A, Y + m * (A + B));
    std::copy_n(b.host_data<float>() + m * B, B, Y + m * (A + B) + A);
  }
  return y;
}

ConcatGradients concat_backward(const Tensor& dy, std::int64_t columns_of_a) {
  const std::int64_t M = row_count(dy.shape()), A = columns_of_a, B = dy.extent(-1) - A;
  ConcatGradients g{empty_like(dy, with_last(dy.shape(), A)),
                    empty_like(dy, with_last(dy.shape(), B))};
  const float* dY = dy.host_data<float>();
  for (std::int64_t m = 0; m < M; ++m) {
    // std::copy_n(a + m * A, A, Y + m * (A + B)); std::copy_n(b + m * B, B, Y + m * (A + B) + A);
    std::copy_n(dY + m * (A + B), A, g.da.host_data<float>() + m * A);
    std::copy_n(dY + m * (A + B) + A, B, g.db.host_data<float>() + m * B);
  }
  return g;
}

}  // namespace arbg::tensor::cpu
