// One thread for four numbers. Bound by memory: nesterov_step 16 bytes an element, descend 12.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel_fours.cuh"
#include "tensor/ops/nesterov_step.h"

namespace arbg::tensor::cuda {
namespace {

// Of the gradient, and of the momentum in second place, whose new number is the first.
struct Step {
  float scale, beta, rest;
  __device__ Numbers<2> operator()(const Numbers<2>& x) const {
    const float g = x[0] * scale, momentum = x[1] + (g - x[1]) * rest;
    return {momentum, rest * g + beta * momentum};
  }
};

struct Descend {
  float decay, step;
  __device__ Numbers<1> operator()(const Numbers<2>& x) const {
    return {x[1] * decay - step * x[0]};
  }
};

}  // namespace

Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, double scale, double beta) {
  Tensor direction = empty_like(gradient, gradient.shape());
  change_each<1>(
      writes(momentum, direction), reads(gradient),
      Step{static_cast<float>(scale), static_cast<float>(beta), static_cast<float>(1 - beta)});
  return direction;
}

void descend(Tensor& weight, const Tensor& direction, double decay, double step) {
  change_each<1>(writes(weight), reads(direction),
                 Descend{static_cast<float>(decay), static_cast<float>(step)});
}

}  // namespace arbg::tensor::cuda
