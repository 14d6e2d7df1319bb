// One thread for four numbers. Bound by memory: 28 bytes an element.
#include "tensor/ops/adamw_step.h"
#include "tensor/ops/kernel_fours.cuh"

namespace arbg::tensor::cuda {
namespace {

// AdamWStep as the numbers meet it.
struct Step {
  float scale, one_minus_beta1, beta2, one_minus_beta2, epsilon, decay, step_size, root;

  // Of gradient, weight, first and second: the last three anew.
  __device__ Numbers<3> operator()(const Numbers<4>& x) const {
    const float g = x[0] * scale, m = x[2] + one_minus_beta1 * (g - x[2]),
                v = x[3] * beta2 + one_minus_beta2 * g * g;
    return {x[1] * decay - step_size * m / (sqrtf(v) / root + epsilon), m, v};
  }
};

}  // namespace

void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const AdamWStep& step) {
  const Step rounded{
      static_cast<float>(step.gradient_scale), static_cast<float>(1 - step.beta1),
      static_cast<float>(step.beta2),          static_cast<float>(1 - step.beta2),
      static_cast<float>(step.epsilon),        static_cast<float>(step.decay),
      static_cast<float>(step.step_size),      static_cast<float>(step.root_correction2)};
  change_each<3>(writes(weight, first, second), reads(gradient), rounded);
}

}  // namespace arbg::tensor::cuda
