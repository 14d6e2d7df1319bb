#include <cmath>

#include "tensor/ops/sinusoid.h"

namespace arbg::tensor::cpu {

void sinusoid(const Tensor& n, Tensor& y) {
  const std::int64_t M = n.elements(), C = y.extent(-1);
  const std::int32_t* N = n.host_data<std::int32_t>();
  float* Y = y.host_data<float>();
  for (std::int64_t c = 0; c < C; c += 2) {
    const double rate = std::pow(10000.0, -static_cast<double>(c) / static_cast<double>(C));
    for (std::int64_t m = 0; m < M; ++m) {
      Y[m * C + c] = static_cast<float>(std::sin(N[m] * rate));
      if (c + 1 < C) Y[m * C + c + 1] = static_cast<float>(std::cos(N[m] * rate));
    }
  }
}

}  // namespace arbg::tensor::cpu
