// One step of momentum with Nesterov's look ahead, and the step along it: what Muon is made of.
//
// nesterov_step, with g = scale gradient: momentum += (1 - beta) (g - momentum) in place, and the
// direction returned is (1 - beta) g + beta momentum. descend, in place: weight = decay weight -
// ratio step direction, numbers = {decay, step}. These tensors have one shape. scale [1] and
// numbers [2] are float64 on every backend and read where the step is made (numbers.h). A scale of
// NaN leaves momentum and weight as they are, and the direction is NaN. Source: Jordan et al.,
// "Muon: an optimizer for hidden layers in neural networks", 2024. Throws Error if shapes, number
// types or backends do not fit together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, const Tensor& scale, double beta);
void descend(Tensor& weight, const Tensor& direction, const Tensor& scale, const Tensor& numbers,
             double ratio);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, const Tensor& scale, double beta);
void descend(Tensor& weight, const Tensor& direction, const Tensor& scale, const Tensor& numbers,
             double ratio);
}  // namespace reference
namespace cpu {
Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, const Tensor& scale, double beta);
void descend(Tensor& weight, const Tensor& direction, const Tensor& scale, const Tensor& numbers,
             double ratio);
}  // namespace cpu
namespace cuda {
Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, const Tensor& scale, double beta);
void descend(Tensor& weight, const Tensor& direction, const Tensor& scale, const Tensor& numbers,
             double ratio);
}  // namespace cuda

}  // namespace arbg::tensor
