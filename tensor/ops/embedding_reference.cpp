// y[m, c] = table[index[m], c]; table [V, C], index [M], y [M, C].
#include "tensor/ops/dispatch.h"
#include "tensor/ops/embedding.h"

namespace arbg::tensor::reference {

Tensor embedding(const Tensor& table, const Tensor& index) {
  const std::int64_t M = index.elements(), C = table.extent(1);
  Tensor y = empty_like(table, with_extra_axis(index.shape(), C));
  const double* W = table.host_data<double>();
  const std::int32_t* I = index.host_data<std::int32_t>();
  double* Y = y.host_data<double>();
  for (std::int64_t m = 0; m < M; ++m) {
    for (std::int64_t c = 0; c < C; ++c) Y[m * C + c] = W[I[m] * C + c];
  }
  return y;
}

void embedding_backward(const Tensor& dy, const Tensor& index, Tensor* dtable) {
  const std::int64_t M = index.elements(), C = dtable->extent(1);
  const double* dY = dy.host_data<double>();
  const std::int32_t* I = index.host_data<std::int32_t>();
  double* dW = dtable->host_data<double>();
  for (std::int64_t m = 0; m < M; ++m) {
    // Y[m * C + c] = W[I[m] * C + c];
    for (std::int64_t c = 0; c < C; ++c) dW[I[m] * C + c] += dY[m * C + c];
  }
}

}  // namespace arbg::tensor::reference
