// A block turns a tile of 32 x 32 over in shared memory, so that reads and writes are both of
// neighbours; a warp has four of its rows. Rows of the tile are 33 numbers apart, which puts a
// column in 32 banks. Bound by memory: 8 bytes an element.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel.cuh"
#include "tensor/ops/transpose.h"

namespace arbg::tensor::cuda {
namespace {

constexpr int kPitch = kWarp + 1, kWarps = 8;

__global__ void turn(Span<float> y, Span<const float> x, std::int64_t R, std::int64_t C) {
  ARBG_SHARED(float, tile, kWarp* kPitch);
  const std::int64_t tiles = divided_up(C, kWarp), r = blockIdx.x / tiles * kWarp,
                     c = blockIdx.x % tiles * kWarp;
  const int lane = this_lane();
  for (int row = this_warp(); row < kWarp; row += kWarps) {
    if (r + row < R && c + lane < C) tile[row * kPitch + lane] = x[(r + row) * C + c + lane];
  }
  __syncthreads();
  for (int row = this_warp(); row < kWarp; row += kWarps) {
    if (c + row < C && r + lane < R) y[(c + row) * R + r + lane] = tile[lane * kPitch + row];
  }
}

}  // namespace

Tensor transpose(const Tensor& x) {
  const std::int64_t R = x.extent(0), C = x.extent(1);
  Tensor y = empty_like(x, {C, R});
  launch(turn, {divided_up(R, kWarp) * divided_up(C, kWarp), kWarps * kWarp}, numbers<float>(y),
         numbers<float>(x), R, C);
  return y;
}

}  // namespace arbg::tensor::cuda
