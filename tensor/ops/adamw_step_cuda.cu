// One thread for four numbers. Bound by memory: 28 bytes an element; scale and numbers are in a
// cache.
#include "tensor/ops/adamw_step.h"

#include <cmath>

#include "tensor/ops/kernel_fours.cuh"

namespace arbg::tensor::cuda {
namespace {

// Of gradient, weight, first and second: the last three anew.
struct Step {
  Span<const double> scale, numbers;

  __device__ Numbers<3> operator()(const Numbers<4>& x) const {
    const double by = scale[0];
    if (std::isnan(by)) return {x[1], x[2], x[3]};
    const AdamWStep step{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
    const float g = x[0] * static_cast<float>(by),
                m = x[2] + static_cast<float>(1 - step.beta1) * (g - x[2]),
                v = x[3] * static_cast<float>(step.beta2) +
                    static_cast<float>(1 - step.beta2) * g * g,
                root = sqrtf(v) / static_cast<float>(step.root_correction2);
    return {x[1] * static_cast<float>(step.decay) -
                static_cast<float>(step.step_size) * m / (root + static_cast<float>(step.epsilon)),
            m, v};
  }
};

}  // namespace

void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const Tensor& scale, const Tensor& numbers) {
  change_each<3>(writes(weight, first, second), reads(gradient),
                 Step{cuda::numbers<double>(scale), cuda::numbers<double>(numbers)});
}

}  // namespace arbg::tensor::cuda
