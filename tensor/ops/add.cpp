#include "tensor/ops/add.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor add(const Tensor& a, const Tensor& b) {
  require_real(a, "add", "a");
  require_fits(b, a.shape(), a, "add", "b", "the shape of a");
  return on_backend(a, ARBG_BACKENDS(add))(a, b);
}

void add_into(Tensor& a, const Tensor& b) {
  require_real(a, "add_into", "a");
  require_fits(b, a.shape(), a, "add_into", "b", "the shape of a");
  on_backend(a, ARBG_BACKENDS(add_into))(a, b);
}

Tensor add_rows(const Tensor& x, const Tensor& rows) {
  require_real(x, "add_rows", "x");
  require(x.shape().rank() == 3, "add_rows: expected x [B, T, C], found ", x.shape());
  require_fits(rows, {x.extent(1), x.extent(2)}, x, "add_rows", "rows", "[T, C]");
  return on_backend(x, ARBG_BACKENDS(add_rows))(x, rows);
}

void add_rows_backward(const Tensor& dy, Tensor* drows) {
  if (!drows) return;
  require_real(dy, "add_rows_backward", "dy");
  require(dy.shape().rank() == 3, "add_rows_backward: expected dy [B, T, C], found ", dy.shape());
  require_fits(*drows, {dy.extent(1), dy.extent(2)}, dy, "add_rows_backward", "drows", "[T, C]");
  on_backend(dy, ARBG_BACKENDS(add_rows_backward))(dy, drows);
}

}  // namespace arbg::tensor
