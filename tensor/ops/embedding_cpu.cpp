#include <algorithm>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/embedding.h"

namespace arbg::tensor::cpu {

Tensor embedding(const Tensor& table, const Tensor& index) {
  const std::int64_t M = index.elements(), C = table.extent(1);
  Tensor y = empty_like(table, with_extra_axis(index.shape(), C));
  const float* W = table.host_data<float>();
  const std::int32_t* I = index.host_data<std::int32_t>();
  float* Y = y.host_data<float>();
  for (std::int64_t m = 0; m < M; ++m) {
    std::copy_n(W + I[m] * C, C, Y + m * C);
  }
  return y;
}

void embedding_backward(const Tensor& dy, const Tensor& index, Tensor* dtable) {
  const std::int64_t M = index.elements(), C = dtable->extent(1);
  const float* dY = dy.host_data<float>();
  const std::int32_t* I = index.host_data<std::int32_t>();
  float* dW = dtable->host_data<float>();
  for (std::int64_t m = 0; m < M; ++m) {
    // std::copy_n(W + I[m] * C, C, Y + m * C);
    for (std::int64_t c = 0; c < C; ++c) dW[I[m] * C + c] += dY[m * C + c];
  }
}

}  // namespace arbg::tensor::cpu
