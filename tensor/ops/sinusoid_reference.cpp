// y[m, c] = sin(n[m] r_c), c even; cos(n[m] r_{c-1}), c odd; r_c = 10000^(-c / C); n [M], y [M, C].
#include <cmath>

#include "tensor/ops/sinusoid.h"

namespace arbg::tensor::reference {

void sinusoid(const Tensor& n, Tensor& y) {
  const std::int64_t M = n.elements(), C = y.extent(-1);
  const std::int32_t* N = n.host_data<std::int32_t>();
  double* Y = y.host_data<double>();
  for (std::int64_t m = 0; m < M; ++m) {
    for (std::int64_t c = 0; c < C; c += 2) {
      const double rate = std::pow(10000.0, -static_cast<double>(c) / static_cast<double>(C));
      Y[m * C + c] = std::sin(N[m] * rate);
      if (c + 1 < C) Y[m * C + c + 1] = std::cos(N[m] * rate);
    }
  }
}

}  // namespace arbg::tensor::reference
