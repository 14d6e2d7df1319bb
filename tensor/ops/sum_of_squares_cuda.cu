// A block sums a chunk of 4096 numbers in double, one more block the sums of all chunks: an order
// that depends on the sizes alone. Bound by memory: 4 bytes an element.
#include "tensor/ops/kernel_sums.cuh"
#include "tensor/ops/sum_of_squares.h"

namespace arbg::tensor::cuda {
namespace {

__global__ void sum_chunk(Span<double> chunks, Span<const float> x, std::int64_t first_chunk) {
  const std::int64_t first = blockIdx.x * kChunk;
  double sum = 0;
  for (std::int64_t i = this_thread(); i < kChunk && first + i < x.size(); i += block_threads()) {
    const double one = x[first + i];
    sum += one * one;
  }
  sum = block_sum(sum);
  if (this_thread() == 0) chunks[first_chunk + blockIdx.x] = sum;
}

__global__ void sum_chunks(Span<double> y, Span<const double> chunks) {
  const double sum = sum_of_all(chunks);
  if (this_thread() == 0) y[0] = sum;
}

}  // namespace

void sum_of_squares(std::span<const Tensor> x, Tensor& y) {
  std::int64_t count = 0;
  for (const Tensor& one : x) count += divided_up(one.elements(), kChunk);
  Tensor chunks = Tensor::empty({count}, DType::f64, y.backend());
  std::int64_t first = 0;
  for (const Tensor& one : x) {
    const std::int64_t blocks = divided_up(one.elements(), kChunk);
    launch(sum_chunk, {blocks, kThreads}, numbers<double>(chunks), numbers<float>(one), first);
    first += blocks;
  }
  launch(sum_chunks, {1, kThreads}, numbers<double>(y), numbers<double>(std::as_const(chunks)));
}

}  // namespace arbg::tensor::cuda
