#include <algorithm>
#include <cmath>

#include "tensor/base/defects.h"
#include "tensor/ops/bin_slope.h"
#include "tensor/ops/dispatch.h"

namespace arbg::tensor::reference {
namespace {

// Of bin k among V with those logits.
template <class Real>
double slope_of(const Real* logits, std::int64_t k, std::int64_t V, bool goes_round,
                double inverse_tau) {
  if (planted(Defect::slope_of_bin_above) && k + 1 < V) ++k;
  const auto height = [&](std::int64_t v) {  // over that of k
    return std::exp((static_cast<double>(logits[v]) - static_cast<double>(logits[k])) *
                    inverse_tau);
  };
  const bool first = k == 0 && !goes_round, last = k == V - 1 && !goes_round;
  const double above = last ? 1 : height((k + 1) % V), below = first ? 1 : height((k + V - 1) % V);
  const double slope = (above - below) * (first || last ? 1 : 0.5);
  return std::isnan(slope) ? 0 : std::clamp(slope, -kSteepest, kSteepest);
}

template <class Real>
void slopes(const Tensor& logits, const Tensor& index, const Tensor& goes_round, double temperature,
            Tensor& slope) {
  const std::int64_t M = index.elements(), n = goes_round.elements(), V = logits.extent(-1);
  const Real* L = logits.host_data<Real>();
  const std::int32_t *I = index.host_data<std::int32_t>(),
                     *R = goes_round.host_data<std::int32_t>();
  double* A = slope.host_data<double>();
  for (std::int64_t m = 0; m < M; ++m)
    A[m] = slope_of(L + m * V, I[m], V, R[m % n] != 0, 1 / temperature);
}

}  // namespace

void bin_slope(const Tensor& logits, const Tensor& index, const Tensor& goes_round,
               double temperature, Tensor& slope) {
  const auto of_type = logits.dtype() == DType::f64 ? slopes<double> : slopes<float>;
  of_type(logits, index, goes_round, temperature, slope);
}

}  // namespace arbg::tensor::reference
