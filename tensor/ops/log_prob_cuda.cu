// One warp a row, of which a lane keeps up to 32 logits in registers; longer rows are read again in
// the backward. Bound by memory where doubles are at least a quarter as fast as floats: forward 4
// bytes a logit, backward 8, or 12 in rows of more than 1024. A logit costs an exponential, a
// conversion and a sum in double. Some five thousand rows keep all of an H100 at work; with
// fewer, the time is that of one warp.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel_fours.cuh"
#include "tensor/ops/log_prob.h"

namespace arbg::tensor::cuda {
namespace {

// log sum_v exp(x[v]) of some numbers: largest + log sum, sum = sum_v exp(x[v] - largest).
struct LogSum {
  float largest = -INFINITY;
  double sum = 0;
};

// A logit of minus infinity adds nothing, also where there is no other yet.
__device__ void add(LogSum& all, float x) {
  if (x == -INFINITY) return;
  if (x > all.largest) {
    all.sum *= static_cast<double>(expf(all.largest - x));
    all.largest = x;
  }
  all.sum += static_cast<double>(expf(x - all.largest));
}

__device__ LogSum joined(const LogSum& a, const LogSum& b) {
  const float largest = fmaxf(a.largest, b.largest);
  if (largest == -INFINITY) return {largest, a.sum + b.sum};
  return {largest, a.sum * static_cast<double>(expf(a.largest - largest)) +
                       b.sum * static_cast<double>(expf(b.largest - largest))};
}

// log sum_v exp(x[v]) of a row of V logits, in every lane of the warp: v ascending within a lane,
// then the lanes by halving. Those of the first lane are for all: fused multiplications make a + b
// other than b + a.
template <int kHeld>
__device__ double log_sum_exp(const Row<kHeld>& x, std::int64_t V) {
  LogSum all;
  each_four<kHeld>(V, [&](int part, std::int64_t v) {
    const Four<float> four = x(part, v);
    for (int i = 0; i < 4; ++i) {
      if (v + i < V) add(all, four[i]);
    }
  });
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
    const LogSum other{__shfl_xor_sync(kAllLanes, all.largest, lanes),
                       __shfl_xor_sync(kAllLanes, all.sum, lanes)};
    all = joined(all, other);
  }
  return __shfl_sync(kAllLanes, static_cast<double>(all.largest) + log(all.sum), 0);
}

template <int kHeld>
__global__ void forward(Span<float> y, Span<const float> logits, Span<const std::int32_t> index,
                        std::int64_t V, bool wide) {
  const std::int64_t m = warp_number();
  if (m >= y.size()) return;
  const double log_sum = log_sum_exp(Row<kHeld>(logits, m, V, wide), V);
  if (this_lane() == 0) {
    y[m] = static_cast<float>(static_cast<double>(logits[m * V + index[m]]) - log_sum);
  }
}

template <int kHeld>
__global__ void backward(Span<float> dlogits, Span<const float> dy, Span<const float> logits,
                         Span<const std::int32_t> index, std::int64_t V, bool wide) {
  const std::int64_t m = warp_number();
  if (m >= dy.size()) return;
  const Row<kHeld> row(logits, m, V, wide);
  // y[m] = logits[m * V + index[m]] - log_sum_exp(row, V), whose derivative is the softmax.
  const double log_sum = log_sum_exp(row, V);
  const std::int32_t picked = index[m];
  const float d = dy[m];
  each_four<kHeld>(V, [&](int part, std::int64_t v) {
    Four<float> four = row(part, v);
    for (int i = 0; i < 4; ++i) {
      const double log_p = static_cast<double>(four[i]) - log_sum;
      four[i] = d * ((v + i == picked ? 1.0F : 0.0F) - expf(static_cast<float>(log_p)));
    }
    set_four(dlogits, m * V + v, (m + 1) * V, four, wide);
  });
}

template <int kHeld>
__global__ void softmax(Span<float> y, Span<const float> logits, std::int64_t M, std::int64_t V,
                        bool wide) {
  const std::int64_t m = warp_number();
  if (m >= M) return;
  const Row<kHeld> row(logits, m, V, wide);
  const double log_sum = log_sum_exp(row, V);
  each_four<kHeld>(V, [&](int part, std::int64_t v) {
    Four<float> four = row(part, v);
    for (int i = 0; i < 4; ++i) {
      four[i] = static_cast<float>(static_cast<double>(four[i]) - log_sum);
    }
    set_four(y, m * V + v, (m + 1) * V, four, wide);
  });
}

}  // namespace

Tensor log_prob(const Tensor& logits, const Tensor& index) {
  const std::int64_t V = logits.extent(-1);
  Tensor y = empty_like(logits, index.shape());
  const auto in = numbers<float>(logits);
  launch(holds_many(V) ? forward<kManyHeld> : forward<kFewHeld>, one_warp_each(y.elements()),
         numbers<float>(y), in, numbers<std::int32_t>(index), V, V % 4 == 0 && wide(in));
  return y;
}

Tensor log_prob_backward(const Tensor& dy, const Tensor& logits, const Tensor& index) {
  const std::int64_t V = logits.extent(-1);
  Tensor dlogits = empty_like(logits, logits.shape());
  const auto in = numbers<float>(logits);
  const auto out = numbers<float>(dlogits);
  launch(holds_many(V) ? backward<kManyHeld> : backward<kFewHeld>, one_warp_each(dy.elements()),
         out, numbers<float>(dy), in, numbers<std::int32_t>(index), V, V % 4 == 0 && wide(in, out));
  return dlogits;
}

Tensor log_softmax(const Tensor& logits) {
  const std::int64_t M = row_count(logits.shape()), V = logits.extent(-1);
  Tensor y = empty_like(logits, logits.shape());
  const auto in = numbers<float>(logits);
  const auto out = numbers<float>(y);
  launch(holds_many(V) ? softmax<kManyHeld> : softmax<kFewHeld>, one_warp_each(M), out, in, M, V,
         V % 4 == 0 && wide(in, out));
  return y;
}

}  // namespace arbg::tensor::cuda
