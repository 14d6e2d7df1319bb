// One thread for four numbers. Bound by memory: nesterov_step 16 bytes an element, descend 12;
// scale and numbers are in a cache.
#include "tensor/ops/nesterov_step.h"

#include <cmath>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel_fours.cuh"

namespace arbg::tensor::cuda {
namespace {

// Of the gradient, and of the momentum in second place, whose new number is the first.
struct Step {
  Span<const double> scale;
  float beta, rest;

  __device__ Numbers<2> operator()(const Numbers<2>& x) const {
    const double by = scale[0];
    const float g = x[0] * static_cast<float>(by),
                momentum = std::isnan(by) ? x[1] : x[1] + (g - x[1]) * rest;
    return {momentum, rest * g + beta * momentum};
  }
};

// Of the direction and the weight: the new weight.
struct Descend {
  Span<const double> scale, numbers;
  double ratio;

  __device__ Numbers<1> operator()(const Numbers<2>& x) const {
    const double by = scale[0], decay = numbers[0], step = numbers[1];
    if (std::isnan(by)) return {x[1]};
    return {x[1] * static_cast<float>(decay) - static_cast<float>(step * ratio) * x[0]};
  }
};

}  // namespace

Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, const Tensor& scale, double beta) {
  Tensor direction = empty_like(gradient, gradient.shape());
  change_each<1>(
      writes(momentum, direction), reads(gradient),
      Step{numbers<double>(scale), static_cast<float>(beta), static_cast<float>(1 - beta)});
  return direction;
}

void descend(Tensor& weight, const Tensor& direction, const Tensor& scale, const Tensor& numbers,
             double ratio) {
  change_each<1>(writes(weight), reads(direction),
                 Descend{cuda::numbers<double>(scale), cuda::numbers<double>(numbers), ratio});
}

}  // namespace arbg::tensor::cuda
