#include <algorithm>
#include <cmath>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/log_q_slopes.h"

namespace arbg::tensor::reference {
namespace {

template <class Real>
void slopes(const Tensor& log_q, const Tensor& log_target, const Tensor& divisor,
            const Tensor& numbers, Tensor& y) {
  const double *Q = log_q.host_data<double>(), *U = log_target.host_data<double>(),
               *N = divisor.host_data<double>(), *n = numbers.host_data<double>();
  const double weight = n[0], centre = n[1], clip = n[2];
  Real* Y = y.host_data<Real>();
  for (std::int64_t b = 0; b < log_q.elements(); ++b) {
    const double d = Q[b] - U[b] - centre;
    const double slope = std::isfinite(d) ? -1 + weight * std::clamp(d, -clip, clip) : NAN;
    Y[b] = static_cast<Real>(slope / N[b]);
  }
}

}  // namespace

void log_q_slopes(const Tensor& log_q, const Tensor& log_target, const Tensor& divisor,
                  const Tensor& numbers, Tensor& y) {
  const auto of_type = y.dtype() == DType::f64 ? slopes<double> : slopes<float>;
  of_type(log_q, log_target, divisor, numbers, y);
}

}  // namespace arbg::tensor::reference
