// y += a (x - y); x, y of one shape, [n].
#include "tensor/ops/blend.h"
#include "tensor/ops/dispatch.h"

namespace arbg::tensor::reference {

void blend(Tensor& y, const Tensor& x, double a) {
  double* Y = y.host_data<double>();
  const double* X = x.host_data<double>();
  for (std::int64_t i = 0; i < y.elements(); ++i) Y[i] += a * (X[i] - Y[i]);
}

}  // namespace arbg::tensor::reference
