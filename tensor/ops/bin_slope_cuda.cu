// One thread a row, which reads three of its logits: bound by the launch.
#include <cmath>

#include "tensor/ops/bin_slope.h"
#include "tensor/ops/kernel.cuh"

namespace arbg::tensor::cuda {
namespace {

__global__ void slopes(Span<double> slope, Span<const float> logits, Span<const std::int32_t> index,
                       Span<const std::int32_t> goes_round, std::int64_t V, double inverse_tau) {
  const std::int64_t m = thread_number();
  if (m >= slope.size()) return;
  const std::int64_t k = index[m];
  const double own = static_cast<double>(logits[m * V + k]);
  const bool round = goes_round[m % goes_round.size()] != 0;
  const bool first = k == 0 && !round, last = k == V - 1 && !round;
  double above = 1, below = 1;
  if (!last) above = exp((static_cast<double>(logits[m * V + (k + 1) % V]) - own) * inverse_tau);
  if (!first)
    below = exp((static_cast<double>(logits[m * V + (k + V - 1) % V]) - own) * inverse_tau);
  double a = (above - below) * (first || last ? 1 : 0.5);
  if (std::isnan(a)) a = 0;
  if (a < -kSteepest) a = -kSteepest;
  if (a > kSteepest) a = kSteepest;
  slope[m] = a;
}

}  // namespace

void bin_slope(const Tensor& logits, const Tensor& index, const Tensor& goes_round,
               double temperature, Tensor& slope) {
  launch(slopes, one_thread_each(slope.elements()), numbers<double>(slope), numbers<float>(logits),
         numbers<std::int32_t>(index), numbers<std::int32_t>(goes_round), logits.extent(-1),
         1 / temperature);
}

}  // namespace arbg::tensor::cuda
