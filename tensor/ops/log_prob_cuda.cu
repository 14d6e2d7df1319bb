// One warp a row, lanes over its logits, which are read once forward and twice backward. Bound by
// memory: forward 4 bytes a logit, backward 12.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel.cuh"
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

// log sum_v exp(x[m, v]), in every lane of the warp: v ascending within a lane, then the lanes by
// halving. Those of the first lane are for all: fused multiplications make a + b other than b + a.
__device__ double log_sum_exp(const Span<const float>& x, std::int64_t m, std::int64_t V) {
  LogSum all;
  for (std::int64_t v = this_lane(); v < V; v += kWarp) add(all, x[m * V + v]);
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
    const LogSum other{__shfl_xor_sync(kAllLanes, all.largest, lanes),
                       __shfl_xor_sync(kAllLanes, all.sum, lanes)};
    all = joined(all, other);
  }
  return __shfl_sync(kAllLanes, static_cast<double>(all.largest) + log(all.sum), 0);
}

__global__ void forward(Span<float> y, Span<const float> logits, Span<const std::int32_t> index,
                        std::int64_t V) {
  const std::int64_t m = warp_number();
  if (m >= y.size()) return;
  const double log_sum = log_sum_exp(logits, m, V);
  if (this_lane() == 0) {
    y[m] = static_cast<float>(static_cast<double>(logits[m * V + index[m]]) - log_sum);
  }
}

__global__ void backward(Span<float> dlogits, Span<const float> dy, Span<const float> logits,
                         Span<const std::int32_t> index, std::int64_t V) {
  const std::int64_t m = warp_number();
  if (m >= dy.size()) return;
  // y[m] = logits[m * V + index[m]] - log_sum_exp(logits, m, V), whose derivative is the softmax.
  const double log_sum = log_sum_exp(logits, m, V);
  for (std::int64_t v = this_lane(); v < V; v += kWarp) {
    const double log_p = static_cast<double>(logits[m * V + v]) - log_sum;
    const float hit = v == index[m] ? 1.0F : 0.0F;
    dlogits[m * V + v] = dy[m] * (hit - expf(static_cast<float>(log_p)));
  }
}

__global__ void softmax(Span<float> y, Span<const float> logits, std::int64_t M, std::int64_t V) {
  const std::int64_t m = warp_number();
  if (m >= M) return;
  const double log_sum = log_sum_exp(logits, m, V);
  for (std::int64_t v = this_lane(); v < V; v += kWarp) {
    y[m * V + v] = static_cast<float>(static_cast<double>(logits[m * V + v]) - log_sum);
  }
}

}  // namespace

Tensor log_prob(const Tensor& logits, const Tensor& index) {
  Tensor y = empty_like(logits, index.shape());
  launch(forward, one_warp_each(y.elements()), numbers<float>(y), numbers<float>(logits),
         numbers<std::int32_t>(index), logits.extent(-1));
  return y;
}

Tensor log_prob_backward(const Tensor& dy, const Tensor& logits, const Tensor& index) {
  Tensor dlogits = empty_like(logits, logits.shape());
  launch(backward, one_warp_each(dy.elements()), numbers<float>(dlogits), numbers<float>(dy),
         numbers<float>(logits), numbers<std::int32_t>(index), logits.extent(-1));
  return dlogits;
}

Tensor log_softmax(const Tensor& logits) {
  const std::int64_t M = row_count(logits.shape());
  Tensor y = empty_like(logits, logits.shape());
  launch(softmax, one_warp_each(M), numbers<float>(y), numbers<float>(logits), M,
         logits.extent(-1));
  return y;
}

}  // namespace arbg::tensor::cuda
