#include "tensor/ops/adamw_step.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const AdamWStep& step) {
  require_real(weight, "adamw_step", "weight");
  require_fits(gradient, weight.shape(), weight, "adamw_step", "gradient", "that of the weight");
  require_fits(first, weight.shape(), weight, "adamw_step", "first", "that of the weight");
  require_fits(second, weight.shape(), weight, "adamw_step", "second", "that of the weight");
  on_backend(weight, ARBG_BACKENDS(adamw_step))(weight, gradient, first, second, step);
}

}  // namespace arbg::tensor
