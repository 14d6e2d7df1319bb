// y[r, i] = x[from[r], i]; x [M, W], from [R], y [R, W], W numbers in a row.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/gather_rows.h"

namespace arbg::tensor::reference {
namespace {

template <class T>
void gather(const Tensor& x, const Tensor& from, Tensor& y) {
  const std::int64_t R = from.elements(), W = row_size(x.shape());
  const T* X = x.host_data<T>();
  const std::int32_t* I = from.host_data<std::int32_t>();
  T* Y = y.host_data<T>();
  for (std::int64_t r = 0; r < R; ++r) {
    for (std::int64_t i = 0; i < W; ++i) Y[r * W + i] = X[I[r] * W + i];
  }
}

}  // namespace

void gather_rows(const Tensor& x, const Tensor& from, Tensor& y) {
  if (x.dtype() == DType::i32)
    gather<std::int32_t>(x, from, y);
  else
    gather<double>(x, from, y);
}

void gather_rows_backward(const Tensor& dy, const Tensor& from, Tensor& dx) {
  const std::int64_t R = from.elements(), W = row_size(dy.shape());
  const double* dY = dy.host_data<double>();
  const std::int32_t* I = from.host_data<std::int32_t>();
  double* dX = dx.host_data<double>();
  for (std::int64_t r = 0; r < R; ++r) {
    // Y[r * W + i] = X[I[r] * W + i];
    for (std::int64_t i = 0; i < W; ++i) dX[I[r] * W + i] += dY[r * W + i];
  }
}

}  // namespace arbg::tensor::reference
