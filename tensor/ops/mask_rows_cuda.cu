// One thread for four numbers of one of B T rows. Bound by memory: 4 bytes an element, and 4 of
// each that is kept.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel_fours.cuh"
#include "tensor/ops/mask_rows.h"

namespace arbg::tensor::cuda {
namespace {

__global__ void mask_each(Span<float> y, Span<const float> x, Span<const std::int32_t> count,
                          std::int64_t T, std::int64_t W, float value, bool wide) {
  const auto [row, i] = own_four(W);
  if (row >= count.size() * T) return;
  const std::int64_t at = row * W + i, end = (row + 1) * W;
  Four<float> four{value, value, value, value};
  if (row % T < count[row / T]) four = four_of(x, at, end, wide);
  set_four(y, at, end, four, wide);
}

}  // namespace

Tensor mask_rows(const Tensor& x, const Tensor& count, double value) {
  Tensor y = empty_like(x, x.shape());
  if (y.elements() == 0) return y;
  const std::int64_t B = x.extent(0), T = x.extent(1), W = row_size(x.shape()) / T;
  const auto in = numbers<float>(x);
  const auto out = numbers<float>(y);
  launch(mask_each, one_thread_a_four(B * T, W), out, in, numbers<std::int32_t>(count), T, W,
         static_cast<float>(value), W % 4 == 0 && wide(in, out));
  return y;
}

}  // namespace arbg::tensor::cuda
