// y = sum over all tensors, sum over all numbers i of x[i]^2; each x of any shape, [n]; y [1].
#include "tensor/ops/dispatch.h"
#include "tensor/ops/sum_of_squares.h"

namespace arbg::tensor::reference {

void sum_of_squares(std::span<const Tensor> x, Tensor& y) {
  double total = 0;
  for (const Tensor& one : x) {
    const double* X = one.host_data<double>();
    double sum = 0;
    for (std::int64_t i = 0; i < one.elements(); ++i) sum += X[i] * X[i];
    total += sum;
  }
  y.host_data<double>()[0] = total;
}

}  // namespace arbg::tensor::reference
