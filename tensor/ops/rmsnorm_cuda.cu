// One warp a row, lanes over its channels; dweight has one thread a channel and slice of rows.
// Bound by memory: forward 8 bytes an element, backward 12 for dx and 8 for dweight.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel.cuh"
#include "tensor/ops/rmsnorm.h"

namespace arbg::tensor::cuda {
namespace {

constexpr int kSlices = 8;  // of the rows, one a warp of the block that sums them

// 1 / sqrt(mean(x^2) + epsilon) of row m of C numbers, in every lane of the warp.
__device__ float inverse_rms(const Span<const float>& x, std::int64_t m, std::int64_t C,
                             float epsilon) {
  float sum = 0;
  for (std::int64_t c = this_lane(); c < C; c += kWarp) {
    const float one = x[m * C + c];
    sum += one * one;
  }
  return 1.0F / sqrtf(warp_sum(sum) / static_cast<float>(C) + epsilon);
}

__global__ void forward(Span<float> y, Span<const float> x, Span<const float> weight,
                        std::int64_t M, std::int64_t C, float epsilon) {
  const std::int64_t m = warp_number();
  if (m >= M) return;
  const float r = inverse_rms(x, m, C, epsilon);
  for (std::int64_t c = this_lane(); c < C; c += kWarp) {
    y[m * C + c] = x[m * C + c] * r * weight[c];
  }
}

// Keeps r of each row for dweight.
__global__ void backward(Span<float> dx, Span<float> rows_r, Span<const float> dy,
                         Span<const float> x, Span<const float> weight, std::int64_t M,
                         std::int64_t C, float epsilon) {
  const std::int64_t m = warp_number();
  if (m >= M) return;
  const int lane = this_lane();
  const float r = inverse_rms(x, m, C, epsilon);
  // y[m * C + c] = x[m * C + c] * r * weight[c], where r depends on every x of the row: dr/dx =
  // -r^3 x / C.
  float dr = 0;
  for (std::int64_t c = lane; c < C; c += kWarp) dr += dy[m * C + c] * x[m * C + c] * weight[c];
  const float through_r = -warp_sum(dr) * r * r * r / static_cast<float>(C);
  for (std::int64_t c = lane; c < C; c += kWarp) {
    dx[m * C + c] = dy[m * C + c] * r * weight[c] + through_r * x[m * C + c];
  }
  if (lane == 0) rows_r[m] = r;
}

// A block sums 32 channels: its warp w the rows w, w + 8, ..., then the warps in order.
__global__ void backward_weight(Span<float> dweight, Span<const float> rows_r, Span<const float> dy,
                                Span<const float> x, std::int64_t M, std::int64_t C) {
  ARBG_SHARED(float, sums, kSlices* kWarp);
  const int lane = this_lane(), slice = this_warp();
  const std::int64_t c = static_cast<std::int64_t>(blockIdx.x) * kWarp + lane;
  float sum = 0;
  for (std::int64_t m = slice; m < M && c < C; m += kSlices) {
    sum += dy[m * C + c] * x[m * C + c] * rows_r[m];
  }
  sums[slice * kWarp + lane] = sum;
  __syncthreads();
  if (slice > 0 || c >= C) return;
  float total = 0;
  for (int one = 0; one < kSlices; ++one) total += sums[one * kWarp + lane];
  dweight[c] += total;
}

}  // namespace

Tensor rmsnorm(const Tensor& x, const Tensor& weight, double epsilon) {
  const std::int64_t M = row_count(x.shape()), C = x.extent(-1);
  Tensor y = empty_like(x, x.shape());
  launch(forward, one_warp_each(M), numbers<float>(y), numbers<float>(x), numbers<float>(weight), M,
         C, static_cast<float>(epsilon));
  return y;
}

Tensor rmsnorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                        Tensor* dweight) {
  const std::int64_t M = row_count(x.shape()), C = x.extent(-1);
  Tensor dx = empty_like(x, x.shape()), rows_r = empty_like(x, {M});
  launch(backward, one_warp_each(M), numbers<float>(dx), numbers<float>(rows_r), numbers<float>(dy),
         numbers<float>(x), numbers<float>(weight), M, C, static_cast<float>(epsilon));
  if (dweight) {
    launch(backward_weight, {divided_up(C, kWarp), kSlices * kWarp}, numbers<float>(*dweight),
           numbers<float>(std::as_const(rows_r)), numbers<float>(dy), numbers<float>(x), M, C);
  }
  return dx;
}

}  // namespace arbg::tensor::cuda
