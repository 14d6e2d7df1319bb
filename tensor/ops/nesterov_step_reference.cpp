// g = scale gradient; momentum += (1 - beta) (g - momentum); direction = (1 - beta) g + beta
// momentum. weight = decay weight - ratio step direction. All of one shape, [n]. If scale is NaN,
// momentum and weight stay.
#include <cmath>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/nesterov_step.h"

namespace arbg::tensor::reference {

Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, const Tensor& scale, double beta) {
  Tensor direction = empty_like(gradient, gradient.shape());
  double* M = momentum.host_data<double>();
  const double* G = gradient.host_data<double>();
  double* D = direction.host_data<double>();
  const double by = scale.host_data<double>()[0], rest = 1 - beta;
  for (std::int64_t i = 0; i < gradient.elements(); ++i) {
    if (!std::isnan(by)) M[i] += (G[i] * by - M[i]) * rest;
    D[i] = rest * (G[i] * by) + beta * M[i];
  }
  return direction;
}

void descend(Tensor& weight, const Tensor& direction, const Tensor& scale, const Tensor& numbers,
             double ratio) {
  double* W = weight.host_data<double>();
  const double* D = direction.host_data<double>();
  if (std::isnan(scale.host_data<double>()[0])) return;
  const double decay = numbers.host_data<double>()[0];
  const double step = numbers.host_data<double>()[1] * ratio;
  for (std::int64_t i = 0; i < weight.elements(); ++i) W[i] = W[i] * decay - step * D[i];
}

}  // namespace arbg::tensor::reference
