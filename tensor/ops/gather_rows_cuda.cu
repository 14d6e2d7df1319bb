// One thread for four numbers of a row, real or indices: 8 bytes each and 4 a row. Bound by memory.
// The backward is embedding's.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/embedding.h"
#include "tensor/ops/gather_rows.h"
#include "tensor/ops/kernel_fours.cuh"

namespace arbg::tensor::cuda {
namespace {

template <class T>
__global__ void gather_each(Span<T> y, Span<const T> x, Span<const std::int32_t> from,
                            std::int64_t W, bool wide) {
  const auto [r, i] = own_four(W);
  if (r >= from.size()) return;
  const std::int64_t row = from[r];
  set_four(y, r * W + i, (r + 1) * W, four_of(x, row * W + i, (row + 1) * W, wide), wide);
}

template <class T>
void gather(const Tensor& x, const Tensor& from, Tensor& y) {
  const std::int64_t R = from.elements(), W = row_size(x.shape());
  const auto in = numbers<T>(x);
  const auto out = numbers<T>(y);
  launch(gather_each<T>, one_thread_a_four(R, W), out, in, numbers<std::int32_t>(from), W,
         W % 4 == 0 && wide(in, out));
}

}  // namespace

void gather_rows(const Tensor& x, const Tensor& from, Tensor& y) {
  if (x.dtype() == DType::i32)
    gather<std::int32_t>(x, from, y);
  else
    gather<float>(x, from, y);
}

void gather_rows_backward(const Tensor& dy, const Tensor& from, Tensor& dx) {
  Tensor table = dx.reshape({dx.extent(0), row_size(dx.shape())});
  cuda::embedding_backward(dy, from, &table);
}

}  // namespace arbg::tensor::cuda
