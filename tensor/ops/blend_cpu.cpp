#include <cmath>

#include "tensor/ops/blend.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/lane_loops.h"

namespace arbg::tensor::cpu {

void blend(Tensor& y, const Tensor& x, const Tensor& scale, const Tensor& a) {
  float* Y = y.host_data<float>();
  const float* X = x.host_data<float>();
  if (std::isnan(scale.host_data<double>()[0])) return;
  const float f = static_cast<float>(a.host_data<double>()[0]);
  for_pieces(y.elements(), 2, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) Y[i] += f * (X[i] - Y[i]);
  });
}

}  // namespace arbg::tensor::cpu
