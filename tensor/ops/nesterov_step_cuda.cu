// One thread an element. Bound by memory: nesterov_step 16 bytes an element, descend 12; scale and
// numbers are in a cache.
#include <cmath>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel.cuh"
#include "tensor/ops/nesterov_step.h"

namespace arbg::tensor::cuda {
namespace {

__global__ void step_each(Span<float> direction, Span<float> momentum, Span<const float> gradient,
                          Span<const double> scale, float beta, float rest) {
  const std::int64_t i = thread_number();
  if (i >= momentum.size()) return;
  const float g = gradient[i] * static_cast<float>(scale[0]);
  float m = momentum[i];
  if (!std::isnan(static_cast<double>(scale[0]))) m += (g - m) * rest;
  momentum[i] = m;
  direction[i] = rest * g + beta * m;
}

__global__ void descend_each(Span<float> weight, Span<const float> direction,
                             Span<const double> scale, Span<const double> numbers, double ratio) {
  const std::int64_t i = thread_number();
  if (i >= weight.size() || std::isnan(static_cast<double>(scale[0]))) return;
  const float step = static_cast<float>(numbers[1] * ratio);
  weight[i] = weight[i] * static_cast<float>(numbers[0]) - step * direction[i];
}

}  // namespace

Tensor nesterov_step(Tensor& momentum, const Tensor& gradient, const Tensor& scale, double beta) {
  Tensor direction = empty_like(gradient, gradient.shape());
  launch(step_each, one_thread_each(gradient.elements()), numbers<float>(direction),
         numbers<float>(momentum), numbers<float>(gradient), numbers<double>(scale),
         static_cast<float>(beta), static_cast<float>(1 - beta));
  return direction;
}

void descend(Tensor& weight, const Tensor& direction, const Tensor& scale, const Tensor& numbers,
             double ratio) {
  launch(descend_each, one_thread_each(weight.elements()), cuda::numbers<float>(weight),
         cuda::numbers<float>(direction), cuda::numbers<double>(scale),
         cuda::numbers<double>(numbers), ratio);
}

}  // namespace arbg::tensor::cuda
