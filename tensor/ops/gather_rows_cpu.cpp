#include <algorithm>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/gather_rows.h"
#include "tensor/ops/lane_loops.h"

namespace arbg::tensor::cpu {
namespace {

template <class T>
void gather(const Tensor& x, const Tensor& from, Tensor& y) {
  const std::int64_t W = row_size(x.shape());
  const T* X = x.host_data<T>();
  const std::int32_t* I = from.host_data<std::int32_t>();
  T* Y = y.host_data<T>();
  for_pieces(from.elements(), W, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) std::copy_n(X + I[r] * W, W, Y + r * W);
  });
}

}  // namespace

void gather_rows(const Tensor& x, const Tensor& from, Tensor& y) {
  if (x.dtype() == DType::i32)
    gather<std::int32_t>(x, from, y);
  else
    gather<float>(x, from, y);
}

void gather_rows_backward(const Tensor& dy, const Tensor& from, Tensor& dx) {
  const std::int64_t R = from.elements(), W = row_size(dy.shape());
  const float* dY = dy.host_data<float>();
  const std::int32_t* I = from.host_data<std::int32_t>();
  float* dX = dx.host_data<float>();
  for (std::int64_t r = 0; r < R; ++r) {
    // std::copy_n(X + I[r] * W, W, Y + r * W);
    for (std::int64_t i = 0; i < W; ++i) dX[I[r] * W + i] += dY[r * W + i];
  }
}

}  // namespace arbg::tensor::cpu
