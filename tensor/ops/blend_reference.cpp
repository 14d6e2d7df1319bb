// y += a (x - y); x, y of one shape, [n]; a [1]. Nothing, if scale [1] is NaN.
#include <cmath>

#include "tensor/ops/blend.h"
#include "tensor/ops/dispatch.h"

namespace arbg::tensor::reference {

void blend(Tensor& y, const Tensor& x, const Tensor& scale, const Tensor& a) {
  double* Y = y.host_data<double>();
  const double* X = x.host_data<double>();
  if (std::isnan(scale.host_data<double>()[0])) return;
  const double f = a.host_data<double>()[0];
  for (std::int64_t i = 0; i < y.elements(); ++i) Y[i] += f * (X[i] - Y[i]);
}

}  // namespace arbg::tensor::reference
