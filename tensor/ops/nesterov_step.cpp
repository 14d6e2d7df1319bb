#include "tensor/ops/nesterov_step.h"

#include "tensor/ops/dispatch.h"
#include "tensor/ops/numbers.h"

namespace arbg::tensor {

Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, const Tensor& scale, double beta) {
  require_real(momentum, "nesterov_step", "momentum");
  require_fits(gradient, momentum.shape(), momentum, "nesterov_step", "gradient",
               "that of the momentum");
  require_numbers(scale, 1, momentum, "nesterov_step", "scale");
  return on_backend(momentum, ARBG_BACKENDS(nesterov_step))(momentum, gradient, scale, beta);
}

void descend(Tensor& weight, const Tensor& direction, const Tensor& scale, const Tensor& numbers,
             double ratio) {
  require_real(weight, "descend", "weight");
  require_fits(direction, weight.shape(), weight, "descend", "direction", "that of the weight");
  require_numbers(scale, 1, weight, "descend", "scale");
  require_numbers(numbers, 2, weight, "descend", "numbers");
  on_backend(weight, ARBG_BACKENDS(descend))(weight, direction, scale, numbers, ratio);
}

}  // namespace arbg::tensor
