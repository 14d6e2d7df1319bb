#include <cmath>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/lane_loops.h"
#include "tensor/ops/nesterov_step.h"

namespace arbg::tensor::cpu {

Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, const Tensor& scale, double beta) {
  Tensor direction = empty_like(gradient, gradient.shape());
  float* M = momentum.host_data<float>();
  const float* G = gradient.host_data<float>();
  float* D = direction.host_data<float>();
  const float s = static_cast<float>(scale.host_data<double>()[0]), b = static_cast<float>(beta),
              rest = static_cast<float>(1 - beta);
  const bool learns = !std::isnan(s);
  for_pieces(gradient.elements(), 3, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      if (learns) M[i] += (G[i] * s - M[i]) * rest;
      D[i] = rest * (G[i] * s) + b * M[i];
    }
  });
  return direction;
}

void descend(Tensor& weight, const Tensor& direction, const Tensor& scale, const Tensor& numbers,
             double ratio) {
  float* W = weight.host_data<float>();
  const float* D = direction.host_data<float>();
  if (std::isnan(scale.host_data<double>()[0])) return;
  const double* N = numbers.host_data<double>();
  const float d = static_cast<float>(N[0]), s = static_cast<float>(N[1] * ratio);
  for_pieces(weight.elements(), 2, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) W[i] = W[i] * d - s * D[i];
  });
}

}  // namespace arbg::tensor::cpu
