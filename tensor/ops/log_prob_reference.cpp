// log_prob: y[m] = logits[m, index[m]] - log sum_v exp(logits[m, v]); logits [M, V], index, y [M].
// log_softmax: y[m, v] = logits[m, v] - log sum_w exp(logits[m, w]); y [M, V].
#include <algorithm>
#include <cmath>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/log_prob.h"

namespace arbg::tensor::reference {
namespace {

// log sum_v exp(logits[v]); the largest logit is taken out first, so that nothing overflows.
double log_sum_exp(const double* logits, std::int64_t V) {
  const double largest = *std::max_element(logits, logits + V);
  double sum = 0;
  for (std::int64_t v = 0; v < V; ++v) sum += std::exp(logits[v] - largest);
  return largest + std::log(sum);
}

}  // namespace

Tensor log_prob(const Tensor& logits, const Tensor& index) {
  const std::int64_t M = index.elements(), V = logits.extent(-1);
  Tensor y = empty_like(logits, index.shape());
  const double* L = logits.host_data<double>();
  const std::int32_t* I = index.host_data<std::int32_t>();
  double* Y = y.host_data<double>();
  for (std::int64_t m = 0; m < M; ++m) {
    Y[m] = L[m * V + I[m]] - log_sum_exp(L + m * V, V);
  }
  return y;
}

Tensor log_prob_backward(const Tensor& dy, const Tensor& logits, const Tensor& index) {
  const std::int64_t M = index.elements(), V = logits.extent(-1);
  Tensor dlogits = empty_like(logits, logits.shape());
  const double* dY = dy.host_data<double>();
  const double* L = logits.host_data<double>();
  const std::int32_t* I = index.host_data<std::int32_t>();
  double* dL = dlogits.host_data<double>();
  for (std::int64_t m = 0; m < M; ++m) {
    // Y[m] = L[m * V + I[m]] - log_sum_exp(L + m * V, V), whose derivative is the softmax.
    const double log_sum = log_sum_exp(L + m * V, V);
    for (std::int64_t v = 0; v < V; ++v) {
      const double hit = v == I[m] ? 1.0 : 0.0;
      dL[m * V + v] = dY[m] * (hit - std::exp(L[m * V + v] - log_sum));
    }
  }
  return dlogits;
}

Tensor log_softmax(const Tensor& logits) {
  const std::int64_t M = row_count(logits.shape()), V = logits.extent(-1);
  Tensor y = empty_like(logits, logits.shape());
  const double* L = logits.host_data<double>();
  double* Y = y.host_data<double>();
  for (std::int64_t m = 0; m < M && V > 0; ++m) {
    const double log_sum = log_sum_exp(L + m * V, V);
    for (std::int64_t v = 0; v < V; ++v) Y[m * V + v] = L[m * V + v] - log_sum;
  }
  return y;
}

}  // namespace arbg::tensor::reference
