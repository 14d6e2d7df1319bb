// One thread an element. Bound by memory: 28 bytes an element.
#include "tensor/ops/adamw_step.h"
#include "tensor/ops/kernel.cuh"

namespace arbg::tensor::cuda {
namespace {

// AdamWStep as the numbers meet it.
struct Step {
  float scale, one_minus_beta1, beta2, one_minus_beta2, epsilon, decay, step_size, root;
};

__global__ void step_each(Span<float> weight, Span<const float> gradient, Span<float> first,
                          Span<float> second, Step step) {
  const std::int64_t i = thread_number();
  if (i >= weight.size()) return;
  const float g = gradient[i] * step.scale;
  float m = first[i];
  m += step.one_minus_beta1 * (g - m);
  const float v = second[i] * step.beta2 + step.one_minus_beta2 * g * g;
  first[i] = m;
  second[i] = v;
  weight[i] = weight[i] * step.decay - step.step_size * m / (sqrtf(v) / step.root + step.epsilon);
}

}  // namespace

void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const AdamWStep& step) {
  const Step rounded{
      static_cast<float>(step.gradient_scale), static_cast<float>(1 - step.beta1),
      static_cast<float>(step.beta2),          static_cast<float>(1 - step.beta2),
      static_cast<float>(step.epsilon),        static_cast<float>(step.decay),
      static_cast<float>(step.step_size),      static_cast<float>(step.root_correction2)};
  launch(step_each, one_thread_each(weight.elements()), numbers<float>(weight),
         numbers<float>(gradient), numbers<float>(first), numbers<float>(second), rounded);
}

}  // namespace arbg::tensor::cuda
