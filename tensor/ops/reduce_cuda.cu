// sum_last: a warp sums a row of at most 4096 numbers, its lanes every 32nd, then the lanes by
// halving. Of longer rows a block sums each chunk of 4096, then a warp the chunks. spread: one
// thread an element. 4 bytes an element: sums are bound by memory, spread by its division in 64
// bits, and both by the launch at B T of a training step.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel_sums.cuh"
#include "tensor/ops/reduce.h"

namespace arbg::tensor::cuda {
namespace {

template <class Sum, class Number>
__global__ void sum_rows(Span<Sum> y, Span<const Number> x, std::int64_t T) {
  const std::int64_t m = warp_number();
  if (m >= y.size()) return;
  double sum = 0;
  for (std::int64_t t = this_lane(); t < T; t += kWarp) sum += static_cast<double>(x[m * T + t]);
  sum = warp_sum(sum);
  if (this_lane() == 0) y[m] = static_cast<Sum>(sum);
}

// A block for each of the chunks of each row, row after row.
__global__ void sum_chunk(Span<double> chunks, Span<const float> x, std::int64_t T,
                          std::int64_t row_chunks) {
  const std::int64_t m = blockIdx.x / row_chunks, first = blockIdx.x % row_chunks * kChunk;
  double sum = 0;
  for (std::int64_t t = this_thread(); t < kChunk && first + t < T; t += block_threads()) {
    sum += static_cast<double>(x[m * T + first + t]);
  }
  sum = block_sum(sum);
  if (this_thread() == 0) chunks[blockIdx.x] = sum;
}

__global__ void spread_each(Span<float> dx, Span<const float> dy, std::int64_t T, double factor) {
  const std::int64_t i = thread_number();
  // sum += x[m * T + t];
  if (i < dx.size()) dx[i] = static_cast<float>(static_cast<double>(dy[i / T]) * factor);
}

template <class Sum>
void sum_last_as(const Tensor& x, Tensor& y) {
  const std::int64_t M = y.elements(), T = x.extent(-1);
  if (T <= kChunk) {
    launch(sum_rows<Sum, float>, one_warp_each(M), numbers<Sum>(y), numbers<float>(x), T);
    return;
  }
  const std::int64_t row_chunks = divided_up(T, kChunk);
  Tensor chunks = Tensor::empty({M, row_chunks}, DType::f64, x.backend());
  launch(sum_chunk, {M * row_chunks, kThreads}, numbers<double>(chunks), numbers<float>(x), T,
         row_chunks);
  launch(sum_rows<Sum, double>, one_warp_each(M), numbers<Sum>(y),
         numbers<double>(std::as_const(chunks)), row_chunks);
}

}  // namespace

void sum_last(const Tensor& x, Tensor& y) {
  if (y.dtype() == DType::f64)
    sum_last_as<double>(x, y);
  else
    sum_last_as<float>(x, y);
}

Tensor spread(const Tensor& dy, const Shape& shape, double factor) {
  Tensor dx = empty_like(dy, shape);
  if (dx.elements() == 0) return dx;
  launch(spread_each, one_thread_each(dx.elements()), numbers<float>(dx), numbers<float>(dy),
         dx.elements() / dy.elements(), factor);
  return dx;
}

}  // namespace arbg::tensor::cuda
