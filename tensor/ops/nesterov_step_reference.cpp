// g = scale gradient; momentum += (1 - beta) (g - momentum); direction = (1 - beta) g + beta
// momentum. weight = decay weight - step direction. All of one shape, [n].
#include "tensor/ops/dispatch.h"
#include "tensor/ops/nesterov_step.h"

namespace arbg::tensor::reference {

Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, double scale, double beta) {
  Tensor direction = empty_like(gradient, gradient.shape());
  double* M = momentum.host_data<double>();
  const double* G = gradient.host_data<double>();
  double* D = direction.host_data<double>();
  const double rest = 1 - beta;
  for (std::int64_t i = 0; i < gradient.elements(); ++i) {
    M[i] += (G[i] * scale - M[i]) * rest;
    D[i] = rest * (G[i] * scale) + beta * M[i];
  }
  return direction;
}

void descend(Tensor& weight, const Tensor& direction, double decay, double step) {
  double* W = weight.host_data<double>();
  const double* D = direction.host_data<double>();
  for (std::int64_t i = 0; i < weight.elements(); ++i) W[i] = W[i] * decay - step * D[i];
}

}  // namespace arbg::tensor::reference
