#include <algorithm>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/mask_rows.h"

namespace arbg::tensor::cpu {

Tensor mask_rows(const Tensor& x, const Tensor& count, double value) {
  const std::int64_t B = x.extent(0), TW = row_size(x.shape());
  const std::int64_t W = x.extent(1) > 0 ? TW / x.extent(1) : 0;
  Tensor y = empty_like(x, x.shape());
  const float* X = x.host_data<float>();
  const std::int32_t* N = count.host_data<std::int32_t>();
  float* Y = y.host_data<float>();
  for (std::int64_t b = 0; b < B; ++b) {
    std::copy_n(X + b * TW, N[b] * W, Y + b * TW);
    std::fill(Y + b * TW + N[b] * W, Y + (b + 1) * TW, static_cast<float>(value));
  }
  return y;
}

}  // namespace arbg::tensor::cpu
