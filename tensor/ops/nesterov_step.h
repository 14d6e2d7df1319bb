// One step of momentum with Nesterov's look ahead, and the step along it: what Muon is made of.
//
// nesterov_step, with g = scale gradient: momentum += (1 - beta) (g - momentum) in place, and the
// direction returned is (1 - beta) g + beta momentum. descend, in place: weight = decay weight -
// step direction. All tensors have one shape. Source: Jordan et al., "Muon: an optimizer for hidden
// layers in neural networks", 2024. Throws Error if shapes, number types or backends do not fit
// together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, double scale, double beta);
void descend(Tensor& weight, const Tensor& direction, double decay, double step);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, double scale, double beta);
void descend(Tensor& weight, const Tensor& direction, double decay, double step);
}  // namespace reference
namespace cpu {
Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, double scale, double beta);
void descend(Tensor& weight, const Tensor& direction, double decay, double step);
}  // namespace cpu
namespace cuda {
Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, double scale, double beta);
void descend(Tensor& weight, const Tensor& direction, double decay, double step);
}  // namespace cuda

}  // namespace arbg::tensor
