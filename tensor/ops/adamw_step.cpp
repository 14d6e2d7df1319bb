#include "tensor/ops/adamw_step.h"

#include "tensor/ops/dispatch.h"
#include "tensor/ops/numbers.h"

namespace arbg::tensor {

void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const Tensor& scale, const Tensor& numbers) {
  require_real(weight, "adamw_step", "weight");
  require_fits(gradient, weight.shape(), weight, "adamw_step", "gradient", "that of the weight");
  require_fits(first, weight.shape(), weight, "adamw_step", "first", "that of the weight");
  require_fits(second, weight.shape(), weight, "adamw_step", "second", "that of the weight");
  require_numbers(scale, 1, weight, "adamw_step", "scale");
  require_numbers(numbers, AdamWStep::kNumbers, weight, "adamw_step", "numbers");
  on_backend(weight, ARBG_BACKENDS(adamw_step))(weight, gradient, first, second, scale, numbers);
}

}  // namespace arbg::tensor
