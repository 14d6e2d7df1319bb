// y[i] = x[i] / (sqrt(sum over all i of x[i]^2) + epsilon); x, y of one shape, [n].
#include <cmath>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/unit_norm.h"

namespace arbg::tensor::reference {

Tensor unit_norm(const Tensor& x, double epsilon) {
  Tensor y = empty_like(x, x.shape());
  const double* X = x.host_data<double>();
  double* Y = y.host_data<double>();
  double sum = 0;
  for (std::int64_t i = 0; i < x.elements(); ++i) sum += X[i] * X[i];
  const double factor = 1 / (std::sqrt(sum) + epsilon);
  for (std::int64_t i = 0; i < x.elements(); ++i) Y[i] = factor * X[i];
  return y;
}

}  // namespace arbg::tensor::reference
