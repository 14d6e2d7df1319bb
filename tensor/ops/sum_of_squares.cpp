#include "tensor/ops/sum_of_squares.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor sum_of_squares(std::span<const Tensor> x) {
  require(!x.empty(), "sum_of_squares: expected tensors, found none");
  for (const Tensor& one : x)
    require_fits(one, one.shape(), x[0], "sum_of_squares", "a tensor", "any shape");
  Tensor y = Tensor::empty({1}, DType::f64, x[0].backend());
  on_backend(x[0], ARBG_BACKENDS(sum_of_squares))(x, y);
  return y;
}

}  // namespace arbg::tensor
