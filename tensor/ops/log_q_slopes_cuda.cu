// One thread a molecule: bound by the launch.
#include <cmath>

#include "tensor/ops/kernel.cuh"
#include "tensor/ops/log_q_slopes.h"

namespace arbg::tensor::cuda {
namespace {

__global__ void slopes(Span<float> y, Span<const double> log_q, Span<const double> log_target,
                       Span<const double> divisor, Span<const double> numbers) {
  const std::int64_t b = thread_number();
  if (b >= y.size()) return;
  const double weight = numbers[0], clip = numbers[2];
  double d = log_q[b] - log_target[b] - numbers[1];
  if (!std::isfinite(d)) d = NAN;
  if (d < -clip) d = -clip;
  if (d > clip) d = clip;
  y[b] = static_cast<float>((-1 + weight * d) / divisor[b]);
}

}  // namespace

void log_q_slopes(const Tensor& log_q, const Tensor& log_target, const Tensor& divisor,
                  const Tensor& values, Tensor& y) {
  launch(slopes, one_thread_each(y.elements()), numbers<float>(y), numbers<double>(log_q),
         numbers<double>(log_target), numbers<double>(divisor), numbers<double>(values));
}

}  // namespace arbg::tensor::cuda
