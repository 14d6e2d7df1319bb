#include "tensor/ops/clip_scale.h"

#include "tensor/ops/dispatch.h"
#include "tensor/ops/numbers.h"

namespace arbg::tensor {

Tensor clip_scale(const Tensor& squares, double largest) {
  require_numbers(squares, 1, squares, "clip_scale", "squares");
  require(largest > 0, "clip_scale: the largest norm is ", largest, ", expected more than 0");
  Tensor scale = Tensor::empty({1}, DType::f64, squares.backend());
  on_backend(squares, ARBG_BACKENDS(clip_scale))(squares, largest, scale);
  return scale;
}

}  // namespace arbg::tensor
