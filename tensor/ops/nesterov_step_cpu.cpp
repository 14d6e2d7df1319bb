#include "tensor/ops/dispatch.h"
#include "tensor/ops/lane_loops.h"
#include "tensor/ops/nesterov_step.h"

namespace arbg::tensor::cpu {

Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, double scale, double beta) {
  Tensor direction = empty_like(gradient, gradient.shape());
  float* M = momentum.host_data<float>();
  const float* G = gradient.host_data<float>();
  float* D = direction.host_data<float>();
  const float s = static_cast<float>(scale), b = static_cast<float>(beta),
              rest = static_cast<float>(1 - beta);
  for_pieces(gradient.elements(), 3, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      M[i] += (G[i] * s - M[i]) * rest;
      D[i] = rest * (G[i] * s) + b * M[i];
    }
  });
  return direction;
}

void descend(Tensor& weight, const Tensor& direction, double decay, double step) {
  float* W = weight.host_data<float>();
  const float* D = direction.host_data<float>();
  const float d = static_cast<float>(decay), s = static_cast<float>(step);
  for_pieces(weight.elements(), 2, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) W[i] = W[i] * d - s * D[i];
  });
}

}  // namespace arbg::tensor::cpu
