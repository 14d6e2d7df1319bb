#include <cmath>

#include "tensor/ops/add_log_slopes.h"
#include "tensor/ops/dispatch.h"

namespace arbg::tensor::reference {

void add_log_slopes(const Tensor& log_q, const Tensor& slope, const Tensor& place,
                    const Tensor& count, Tensor& y) {
  const std::int64_t B = slope.extent(0), n = slope.extent(1);
  const double *L = log_q.host_data<double>(), *A = slope.host_data<double>(),
               *T = place.host_data<double>();
  const std::int32_t* C = count.host_data<std::int32_t>();
  double* Y = y.host_data<double>();
  for (std::int64_t b = 0; b < B; ++b) {
    Y[b] = L[b];
    for (std::int64_t t = b * n; t < b * n + C[b]; ++t) Y[b] += std::log1p(A[t] * T[t]);
  }
}

}  // namespace arbg::tensor::reference
