#include "tensor/ops/nesterov_step.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, double scale, double beta) {
  require_real(momentum, "nesterov_step", "momentum");
  require_fits(gradient, momentum.shape(), momentum, "nesterov_step", "gradient",
               "that of the momentum");
  return on_backend(momentum, ARBG_BACKENDS(nesterov_step))(momentum, gradient, scale, beta);
}

void descend(Tensor& weight, const Tensor& direction, double decay, double step) {
  require_real(weight, "descend", "weight");
  require_fits(direction, weight.shape(), weight, "descend", "direction", "that of the weight");
  on_backend(weight, ARBG_BACKENDS(descend))(weight, direction, decay, step);
}

}  // namespace arbg::tensor
