// Sums in an order that depends on sizes alone: over a block, over chunks of a tensor, over the
// rows of a matrix.
#pragma once

#include <algorithm>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel.cuh"

namespace arbg::tensor::cuda {

// The sum over the threads of a block, in its first warp. Once in a kernel.
__device__ inline double block_sum(double value) {
  ARBG_SHARED(double, sums, kWarp);
  const int lane = this_lane(), warp = this_warp();
  value = warp_sum(value);
  if (lane == 0) sums[warp] = value;
  __syncthreads();
  if (warp > 0) return 0;
  return warp_sum(lane < block_threads() / kWarp ? static_cast<double>(sums[lane]) : 0.0);
}

// Long sums have two kernels: a block sums a chunk, then one block the sums of all chunks.
constexpr std::int64_t kChunk = 4096;

__device__ inline double sum_of_all(const Span<const double>& chunks) {
  double sum = 0;
  for (std::int64_t i = this_thread(); i < chunks.size(); i += block_threads()) sum += chunks[i];
  return block_sum(sum);
}

// Sums over the rows of what is f(m, c) in row m, column c of M x C. A block sums 32 columns of 256
// rows: its warp w the rows w, w + 8, ..., then the warps in order. More rows make partial sums,
// one row for 256, which are summed likewise.
constexpr int kSlices = 8;
constexpr std::int64_t kRowsOfBlock = 256;

template <class F>
__global__ void sum_rows(Span<float> sums, std::int64_t M, std::int64_t C, bool adds, F f) {
  ARBG_SHARED(float, parts, kSlices* kWarp);
  const int lane = this_lane(), slice = this_warp();
  const std::int64_t tiles = divided_up(C, kWarp), block = blockIdx.x / tiles,
                     c = blockIdx.x % tiles * kWarp + lane, first = block * kRowsOfBlock,
                     end = first + kRowsOfBlock < M ? first + kRowsOfBlock : M;
  float sum = 0;
  for (std::int64_t m = first + slice; m < end && c < C; m += kSlices) sum += f(m, c);
  parts[slice * kWarp + lane] = sum;
  __syncthreads();
  if (slice > 0 || c >= C) return;
  float total = 0;
  for (int one = 0; one < kSlices; ++one) total += parts[one * kWarp + lane];
  if (adds) total += sums[c];
  sums[block * C + c] = total;
}

struct Partial {
  Span<const float> x;
  std::int64_t C;
  __device__ float operator()(std::int64_t m, std::int64_t c) const { return x[m * C + c]; }
};

// sums[c] += sum_m f(m, c)
template <class F>
void add_sum_of_rows(Tensor& sums, std::int64_t M, std::int64_t C, const F& f) {
  const std::int64_t chunks = divided_up(M, kRowsOfBlock);
  const bool one = chunks <= 1;
  Tensor partial = one ? sums : empty_like(sums, {chunks, C});
  launch(sum_rows<F>, {chunks * divided_up(C, kWarp), kSlices * kWarp}, numbers<float>(partial), M,
         C, one, f);
  if (!one) add_sum_of_rows(sums, chunks, C, Partial{numbers<float>(std::as_const(partial)), C});
}

}  // namespace arbg::tensor::cuda
