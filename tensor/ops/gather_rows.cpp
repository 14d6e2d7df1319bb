#include "tensor/ops/gather_rows.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {
namespace {

void check_inputs(const Tensor& x, const Tensor& from, std::int64_t rows, const char* operation) {
  require(x.shape().rank() >= 1, operation, ": expected rows [M, ...], found ", x.shape());
  require_index(from, x, operation);
  require(from.shape().rank() == 1, operation, ": expected the rows from [R], found ",
          from.shape());
  require_inside(from, 0, rows - 1, operation, "row");
}

}  // namespace

Tensor gather_rows(const Tensor& x, const Tensor& from) {
  const bool of_indices = x.defined() && x.dtype() == DType::i32;
  if (!of_indices) require_real(x, "gather_rows", "x");
  check_inputs(x, from, x.shape().rank() >= 1 ? x.extent(0) : 0, "gather_rows");
  Tensor y = empty_like(x, with_first(x.shape(), from.elements()));
  on_backend(x, ARBG_BACKENDS(gather_rows))(x, from, y);
  if (of_indices) y.set_index_bounds(x.index_bounds());
  return y;
}

Tensor gather_rows_backward(const Tensor& dy, const Tensor& from, std::int64_t rows) {
  require_real(dy, "gather_rows_backward", "dy");
  check_inputs(dy, from, rows, "gather_rows_backward");
  require_fits(dy, with_first(dy.shape(), from.elements()), dy, "gather_rows_backward", "dy",
               "[R, ...]");
  Tensor dx = Tensor::zeros(with_first(dy.shape(), rows), dy.dtype(), dy.backend());
  on_backend(dy, ARBG_BACKENDS(gather_rows_backward))(dy, from, dx);
  return dx;
}

}  // namespace arbg::tensor
