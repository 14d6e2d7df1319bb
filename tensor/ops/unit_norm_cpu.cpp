#include <cmath>

#include "tensor/ops/elementwise.h"
#include "tensor/ops/sum_of_squares.h"
#include "tensor/ops/unit_norm.h"

namespace arbg::tensor::cpu {

Tensor unit_norm(const Tensor& x, double epsilon) {
  Tensor square = Tensor::empty({1}, DType::f64, x.backend());
  cpu::sum_of_squares(std::span(&x, 1), square);
  return cpu::scale(x, 1 / (std::sqrt(*square.host_data<double>()) + epsilon));
}

}  // namespace arbg::tensor::cpu
