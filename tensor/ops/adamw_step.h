// One step of AdamW on one tensor, in place.
//
// With g = gradient_scale gradient, number by number and in this order:
//   weight *= decay;  first += (1 - beta1) (g - first);  second = beta2 second + (1 - beta2) g^2;
//   weight -= step_size first / (sqrt(second) / root_correction2 + epsilon).
// All four tensors have the shape of the weight. Source: Loshchilov and Hutter, "Decoupled weight
// decay regularization", ICLR 2019, in the order of torch.optim.AdamW. Throws Error if shapes,
// number types or backends do not fit together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

struct AdamWStep {
  double gradient_scale, beta1, beta2, epsilon, decay, step_size, root_correction2;
};

void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const AdamWStep& step);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const AdamWStep& step);
}  // namespace reference
namespace cpu {
void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const AdamWStep& step);
}  // namespace cpu
namespace cuda {
void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const AdamWStep& step);
}  // namespace cuda

}  // namespace arbg::tensor
