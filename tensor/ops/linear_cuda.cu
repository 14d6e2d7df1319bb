// Products of M N K, and the column sums of dy. A block of 8 warps sums 32 columns of a chunk of
// rows, warp w the rows w, w + 8, ..., then the warps in order; then a thread sums the chunks of
// its column in order. Bound by memory: 4 bytes an element of dy.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel.cuh"
#include "tensor/ops/linear.h"
#include "tensor/ops/product_cuda.h"

namespace arbg::tensor::cuda {
namespace {

constexpr int kWarps = 8;
constexpr std::int64_t kChunkRows = 256;

__global__ void sum_chunk(Span<float> chunks, Span<const float> x, std::int64_t M, std::int64_t N,
                          std::int64_t column_blocks) {
  ARBG_SHARED(float, sums, kWarps* kWarp);
  const int lane = this_lane(), warp = this_warp();
  const std::int64_t chunk = blockIdx.x / column_blocks;
  const std::int64_t n = blockIdx.x % column_blocks * kWarp + lane, first = chunk * kChunkRows;
  float sum = 0;
  for (std::int64_t m = first + warp; m < first + kChunkRows && m < M && n < N; m += kWarps) {
    sum += x[m * N + n];
  }
  sums[warp * kWarp + lane] = sum;
  __syncthreads();
  if (warp > 0 || n >= N) return;
  float total = 0;
  for (int one = 0; one < kWarps; ++one) total += sums[one * kWarp + lane];
  chunks[chunk * N + n] = total;
}

__global__ void add_chunks(Span<float> y, Span<const float> chunks, std::int64_t count) {
  const std::int64_t n = thread_number(), N = y.size();
  if (n >= N) return;
  float sum = 0;
  for (std::int64_t chunk = 0; chunk < count; ++chunk) sum += chunks[chunk * N + n];
  y[n] += sum;
}

// out[n] += sum_m x[m, n].
void add_column_sums(const Tensor& x, std::int64_t M, std::int64_t N, Tensor& out) {
  const std::int64_t count = divided_up(M, kChunkRows), column_blocks = divided_up(N, kWarp);
  Tensor chunks = empty_like(x, {count, N});
  launch(sum_chunk, {count * column_blocks, kWarps * kWarp}, numbers<float>(chunks),
         numbers<float>(x), M, N, column_blocks);
  launch(add_chunks, one_thread_each(N), numbers<float>(out), numbers<float>(std::as_const(chunks)),
         count);
}

// y = x W^T + b, W [N, K] as it is or packed.
Tensor applied(const Tensor& x, const Tensor& weight, std::int64_t N, const Tensor& bias) {
  Tensor y = empty_like(x, with_last(x.shape(), N));
  product({.M = row_count(x.shape()), .N = N, .K = x.extent(-1), .transpose_b = true}, x, weight,
          bias, y);
  return y;
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return applied(x, weight, weight.extent(0), bias);
}

Tensor linear_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, Tensor* dweight,
                       Tensor* dbias, bool want_dx) {
  const std::int64_t M = row_count(x.shape()), K = x.extent(-1), N = weight.extent(0);
  // product({M, N, K, transpose_b}, x, weight, bias, y): y = x W^T + bias in every row.
  if (dbias) add_column_sums(dy, M, N, *dbias);
  const Tensor dY = operand(dy);
  if (dweight) {
    product({.M = N, .N = K, .K = M, .transpose_a = true, .accumulate = true}, dY, x, {}, *dweight);
  }
  if (!want_dx) return {};
  Tensor dx = empty_like(x, x.shape());
  product({.M = M, .N = K, .K = N}, dY, weight, {}, dx);
  return dx;
}

// In the type that products read.
Tensor pack_weight(const Tensor& weight) {
  const Tensor packed = operand(weight);
  return packed.dtype() == weight.dtype() ? weight.clone() : packed;
}

Tensor packed_linear(const Tensor& x, const PackedWeight& weight, const Tensor& bias) {
  return applied(x, weight.data, weight.N, bias);
}

}  // namespace arbg::tensor::cuda
