#include <cmath>

#include "tensor/ops/adamw_step.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/lane_loops.h"

namespace arbg::tensor::cpu {

void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const Tensor& scale, const Tensor& numbers) {
  float* W = weight.host_data<float>();
  const float* G = gradient.host_data<float>();
  float* M = first.host_data<float>();
  float* V = second.host_data<float>();
  if (std::isnan(scale.host_data<double>()[0])) return;
  const AdamWStep step = step_of(numbers.host_data<double>());
  // In double until they meet the numbers.
  const float by = static_cast<float>(scale.host_data<double>()[0]);
  const float decay = static_cast<float>(step.decay);
  const float one_minus_beta1 = static_cast<float>(1 - step.beta1);
  const float beta2 = static_cast<float>(step.beta2);
  const float one_minus_beta2 = static_cast<float>(1 - step.beta2);
  const float epsilon = static_cast<float>(step.epsilon);
  const float step_size = static_cast<float>(step.step_size);
  const float root = static_cast<float>(step.root_correction2);
  for_pieces(weight.elements(), 4, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t i = from; i < to; ++i) {
      const float g = G[i] * by;
      W[i] *= decay;
      M[i] += one_minus_beta1 * (g - M[i]);
      V[i] = V[i] * beta2 + one_minus_beta2 * g * g;
      const float denominator = std::sqrt(V[i]) / root + epsilon;
      W[i] -= step_size * M[i] / denominator;
    }
  });
}

}  // namespace arbg::tensor::cpu
