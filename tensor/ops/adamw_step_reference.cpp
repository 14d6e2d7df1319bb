// g = scale gradient; weight *= decay; first += (1 - beta1) (g - first);
// second = beta2 second + (1 - beta2) g^2;
// weight -= step_size first / (sqrt(second) / root_correction2 + epsilon); all of one shape, [n].
// The other numbers are those of AdamWStep. Nothing, if scale is NaN.
#include <cmath>

#include "tensor/ops/adamw_step.h"
#include "tensor/ops/dispatch.h"

namespace arbg::tensor::reference {

void adamw_step(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                const Tensor& scale, const Tensor& numbers) {
  double* W = weight.host_data<double>();
  const double* G = gradient.host_data<double>();
  double* M = first.host_data<double>();
  double* V = second.host_data<double>();
  const double by = scale.host_data<double>()[0];
  if (std::isnan(by)) return;
  const AdamWStep step = step_of(numbers.host_data<double>());
  const double one_minus_beta1 = 1 - step.beta1, one_minus_beta2 = 1 - step.beta2;
  for (std::int64_t i = 0; i < weight.elements(); ++i) {
    const double g = G[i] * by;
    W[i] *= step.decay;
    M[i] += one_minus_beta1 * (g - M[i]);
    V[i] = V[i] * step.beta2 + one_minus_beta2 * g * g;
    const double denominator = std::sqrt(V[i]) / step.root_correction2 + step.epsilon;
    W[i] -= step.step_size * M[i] / denominator;
  }
}

}  // namespace arbg::tensor::reference
