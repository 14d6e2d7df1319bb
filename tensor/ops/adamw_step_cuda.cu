// One thread an element. Bound by memory: 28 bytes an element; scale and numbers are in a cache.
#include <cmath>

#include "tensor/ops/adamw_step.h"
#include "tensor/ops/kernel.cuh"

namespace arbg::tensor::cuda {
namespace {

__global__ void step_each(Span<float> weight, Span<const float> gradient, Span<float> first,
                          Span<float> second, Span<const double> scale,
                          Span<const double> numbers) {
  const std::int64_t i = thread_number();
  const double by = scale[0];
  if (i >= weight.size() || std::isnan(by)) return;
  const AdamWStep step{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
  const float g = gradient[i] * static_cast<float>(by);
  float m = first[i];
  m += static_cast<float>(1 - step.beta1) * (g - m);
  const float v =
      second[i] * static_cast<float>(step.beta2) + static_cast<float>(1 - step.beta2) * g * g;
  first[i] = m;
  second[i] = v;
  const float root = sqrtf(v) / static_cast<float>(step.root_correction2);
  weight[i] = weight[i] * static_cast<float>(step.decay) -
              static_cast<float>(step.step_size) * m / (root + static_cast<float>(step.epsilon));
}

}  // namespace

void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const Tensor& scale, const Tensor& numbers) {
  launch(step_each, one_thread_each(weight.elements()), cuda::numbers<float>(weight),
         cuda::numbers<float>(gradient), cuda::numbers<float>(first), cuda::numbers<float>(second),
         cuda::numbers<double>(scale), cuda::numbers<double>(numbers));
}

}  // namespace arbg::tensor::cuda
