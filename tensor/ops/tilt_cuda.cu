// Forward: one thread for four numbers of one of B T rows. Backward: one warp a row, which sums one
// curve after the other; rows without a slot end at once. Bound by memory: forward 8 bytes an
// element, backward 4 of each row with a slot, and both 4 K more of each row with a slot; rows of
// more than 1024 numbers are read once more for each curve by the backward.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel_fours.cuh"
#include "tensor/ops/tilt.h"

namespace arbg::tensor::cuda {
namespace {

// Which curves, [K, V], a row m of B T takes: those that begin at u[first(m)]; less than 0: none.
struct Curves {
  Span<const float> u;
  Span<const std::int32_t> slot;
  std::int64_t S, K, V;
  __device__ std::int64_t first(std::int64_t m) const {
    const std::int64_t T = slot.size(), b = m / T;
    const std::int32_t s = slot[m - b * T];
    return s < 0 ? -1 : (b * S + s) * K * V;
  }
};

__global__ void forward(Span<float> y, Span<const float> x, Span<const float> g, Curves curves,
                        std::int64_t M, bool wide) {
  const std::int64_t K = curves.K, V = curves.V;
  const auto [m, v] = own_four(V);
  if (m >= M) return;
  const std::int64_t first = curves.first(m), at = m * V + v, end = (m + 1) * V;
  Four<float> tilted = four_of(x, at, end, wide);
  for (std::int64_t k = 0; first >= 0 && k < K; ++k) {
    const std::int64_t curve = first + k * V;
    const Four<float> u = four_of(curves.u, curve + v, curve + V, wide);
    const float strength = g[m * K + k];
    for (int i = 0; i < 4; ++i) tilted[i] -= strength * u[i];
  }
  set_four(y, at, end, tilted, wide);
}

template <int kHeld>
__global__ void backward(Span<float> dg, Span<const float> dy, Curves curves, std::int64_t M,
                         bool wide) {
  const std::int64_t m = warp_number(), K = curves.K, V = curves.V;
  if (m >= M) return;
  const std::int64_t first = curves.first(m);
  if (first < 0) return;
  const Row<kHeld> row(dy, m, V, wide);
  for (std::int64_t k = 0; k < K; ++k) {
    // tilted -= g[m * K + k] * u[first + k * V + v], for all v of y[m * V + v];
    const std::int64_t curve = first + k * V;
    float sum = 0;
    each_four<kHeld>(V, [&](int part, std::int64_t v) {
      const Four<float> d = row(part, v), u = four_of(curves.u, curve + v, curve + V, wide);
      for (int i = 0; i < 4; ++i) sum += d[i] * u[i];
    });
    sum = warp_sum(sum);
    if (this_lane() == 0) dg[m * K + k] -= sum;
  }
}

Curves curves_of(const Tensor& u, const Tensor& slot) {
  return {numbers<float>(u), numbers<std::int32_t>(slot), u.extent(1), u.extent(2), u.extent(3)};
}

}  // namespace

Tensor tilt(const Tensor& x, const Tensor& g, const Tensor& u, const Tensor& slot) {
  const std::int64_t M = row_count(x.shape()), V = x.extent(2);
  Tensor y = empty_like(x, x.shape());
  const Curves curves = curves_of(u, slot);
  const auto in = numbers<float>(x);
  const auto out = numbers<float>(y);
  launch(forward, one_thread_a_four(M, V), out, in, numbers<float>(g), curves, M,
         V % 4 == 0 && wide(out, in, curves.u));
  return y;
}

void tilt_backward(const Tensor& dy, const Tensor& u, const Tensor& slot, Tensor* dg) {
  const std::int64_t M = row_count(dy.shape()), V = dy.extent(2);
  const Curves curves = curves_of(u, slot);
  const auto in = numbers<float>(dy);
  launch(holds_many(V) ? backward<kManyHeld> : backward<kFewHeld>, one_warp_each(M),
         numbers<float>(*dg), in, curves, M, V % 4 == 0 && wide(in, curves.u));
}

}  // namespace arbg::tensor::cuda
