// One step of AdamW on one tensor, in place.
//
// With g = scale gradient, number by number and in this order:
//   weight *= decay;  first += (1 - beta1) (g - first);  second = beta2 second + (1 - beta2) g^2;
//   weight -= step_size first / (sqrt(second) / root_correction2 + epsilon).
// All four tensors have the shape of the weight. scale [1] and numbers, those of AdamWStep in their
// order, are float64 on every backend and read where the step is made (numbers.h). A scale of NaN
// leaves weight and moments as they are. Source: Loshchilov and Hutter, "Decoupled weight decay
// regularization", ICLR 2019, in the order of torch.optim.AdamW. Throws Error if shapes, number
// types or backends do not fit together.
#pragma once

#include <array>
#include <cstdint>

#include "tensor/tensor.h"

namespace arbg::tensor {

struct AdamWStep {
  double beta1, beta2, epsilon, decay, step_size, root_correction2;

  static constexpr std::int64_t kNumbers = 6;
  std::array<double, kNumbers> numbers() const {
    return {beta1, beta2, epsilon, decay, step_size, root_correction2};
  }
};
constexpr AdamWStep step_of(const double* n) {
  return {n[0], n[1], n[2], n[3], n[4], n[5]};
}

void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const Tensor& scale, const Tensor& numbers);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const Tensor& scale, const Tensor& numbers);
}  // namespace reference
namespace cpu {
void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const Tensor& scale, const Tensor& numbers);
}  // namespace cpu
namespace cuda {
void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const Tensor& scale, const Tensor& numbers);
}  // namespace cuda

}  // namespace arbg::tensor
