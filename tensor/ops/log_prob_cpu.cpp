#include <cmath>
#include <cstring>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/lane_loops.h"
#include "tensor/ops/log_prob.h"

namespace arbg::tensor::cpu {
namespace {

// log sum_v exp(logits[v]); the largest logit is taken out first, so that nothing overflows. The
// exponentials are float32, their sum is double, v ascending in each lane, then the lanes by
// halving.
double log_sum_exp(const float* logits, std::int64_t V) {
  const std::int64_t whole = V / kVector * kVector;
  const Lanes<float> rest =
      whole < V ? load_some(logits + whole, V - whole, -INFINITY) : broadcast(-INFINITY);
  Lanes<float> largest_lanes = rest;
  for (std::int64_t v = 0; v < whole; v += kVector) {
    const Lanes<float> x = load_lanes(logits + v);
    largest_lanes = select(x > largest_lanes, x, largest_lanes);
  }
  const float largest = max_lanes(largest_lanes);

  using HalfLanes __attribute__((vector_size(kVector * 2))) = float;
  Lanes<double> low{}, high{};
  const auto add = [&](const Lanes<float>& x) {
    const Lanes<float> terms = exp_lanes(x - largest);
    HalfLanes halves[2];
    std::memcpy(halves, &terms, sizeof halves);
    low += __builtin_convertvector(halves[0], Lanes<double>);
    high += __builtin_convertvector(halves[1], Lanes<double>);
  };
  for (std::int64_t v = 0; v < whole; v += kVector) add(load_lanes(logits + v));
  if (whole < V) add(rest);
  return static_cast<double>(largest) + std::log(sum_lanes(low + high));
}

}  // namespace

Tensor log_prob(const Tensor& logits, const Tensor& index) {
  const std::int64_t M = index.elements(), V = logits.extent(-1);
  Tensor y = empty_like(logits, index.shape());
  const float* L = logits.host_data<float>();
  const std::int32_t* I = index.host_data<std::int32_t>();
  float* Y = y.host_data<float>();
  for_pieces(M, V, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t m = first; m < last; ++m) {
      Y[m] = static_cast<float>(static_cast<double>(L[m * V + I[m]]) - log_sum_exp(L + m * V, V));
    }
  });
  return y;
}

Tensor log_prob_backward(const Tensor& dy, const Tensor& logits, const Tensor& index) {
  const std::int64_t M = index.elements(), V = logits.extent(-1);
  Tensor dlogits = empty_like(logits, logits.shape());
  const float* dY = dy.host_data<float>();
  const float* L = logits.host_data<float>();
  const std::int32_t* I = index.host_data<std::int32_t>();
  float* dL = dlogits.host_data<float>();
  for_pieces(M, V, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t m = first; m < last; ++m) {
      // Y[m] = L[m * V + I[m]] - log_sum_exp(L + m * V, V), whose derivative is the softmax.
      const float log_sum = static_cast<float>(log_sum_exp(L + m * V, V));
      for (std::int64_t v = 0; v < V; v += kVector) {
        const Lanes<float> softmax = exp_lanes(load_some(L + m * V + v, V - v) - log_sum);
        store_some(dL + m * V + v, -dY[m] * softmax, V - v);
      }
      dL[m * V + I[m]] += dY[m];
    }
  });
  return dlogits;
}

Tensor log_softmax(const Tensor& logits) {
  const std::int64_t M = row_count(logits.shape()), V = logits.extent(-1);
  Tensor y = empty_like(logits, logits.shape());
  const float* L = logits.host_data<float>();
  float* Y = y.host_data<float>();
  for_pieces(M, V, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t m = first; m < last; ++m) {
      const double log_sum = log_sum_exp(L + m * V, V);
      for (std::int64_t v = 0; v < V; ++v) {
        Y[m * V + v] = static_cast<float>(static_cast<double>(L[m * V + v]) - log_sum);
      }
    }
  });
  return y;
}

}  // namespace arbg::tensor::cpu
