// y[b, t, i] = t < count[b] ? x[b, t, i] : value; x, y [B, T, W], count [B].
#include "tensor/ops/dispatch.h"
#include "tensor/ops/mask_rows.h"

namespace arbg::tensor::reference {

Tensor mask_rows(const Tensor& x, const Tensor& count, double value) {
  const std::int64_t B = x.extent(0), TW = row_size(x.shape());
  const std::int64_t W = x.extent(1) > 0 ? TW / x.extent(1) : 0;
  Tensor y = empty_like(x, x.shape());
  const double* X = x.host_data<double>();
  const std::int32_t* N = count.host_data<std::int32_t>();
  double* Y = y.host_data<double>();
  for (std::int64_t b = 0; b < B; ++b) {
    for (std::int64_t i = 0; i < TW; ++i) Y[b * TW + i] = i < N[b] * W ? X[b * TW + i] : value;
  }
  return y;
}

}  // namespace arbg::tensor::reference
