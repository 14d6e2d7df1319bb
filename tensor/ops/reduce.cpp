#include "tensor/ops/reduce.h"

#include "tensor/ops/dispatch.h"
#include "tensor/ops/elementwise.h"

namespace arbg::tensor {
namespace {

void check_sum_of_all(const Tensor& dy, const char* operation) {
  require_real(dy, operation, "dy");
  require(dy.elements() == 1, operation, ": expected dy of one number, found ", dy.shape());
}

Tensor summed_as(DType dtype, const Tensor& x) {
  require(x.shape().rank() >= 1, "sum_last: expected x [..., T], found ", x.shape());
  Tensor y = Tensor::empty(without_last(x.shape()), dtype, x.backend());
  on_backend(x, ARBG_BACKENDS(sum_last))(x, y);
  return y;
}

}  // namespace

Tensor sum_last(const Tensor& x) {
  require_real(x, "sum_last", "x");
  return summed_as(x.dtype(), x);
}

Tensor sum_last_in_double(const Tensor& x) {
  require_real(x, "sum_last_in_double", "x");
  return summed_as(DType::f64, x);
}

Tensor sum_last_backward(const Tensor& dy, const Shape& shape) {
  require_real(dy, "sum_last_backward", "dy");
  require(shape.rank() >= 1 && dy.shape() == without_last(shape), "sum_last_backward: dy of shape ",
          dy.shape(), " is not the sum over the last axis of ", shape);
  return on_backend(dy, ARBG_BACKENDS(spread))(dy, shape, 1.0);
}

Tensor sum_all(const Tensor& x) { return sum_last(x.reshape({1, x.elements()})); }

Tensor sum_all_backward(const Tensor& dy, const Shape& shape) {
  check_sum_of_all(dy, "sum_all_backward");
  return on_backend(dy, ARBG_BACKENDS(spread))(dy, shape, 1.0);
}

Tensor mean_all(const Tensor& x) {
  require(x.elements() > 0, "mean_all: the mean of no numbers was asked for, shape ", x.shape());
  return scale(sum_all(x), 1.0 / static_cast<double>(x.elements()));
}

Tensor mean_all_backward(const Tensor& dy, const Shape& shape) {
  check_sum_of_all(dy, "mean_all_backward");
  require(shape.elements() > 0, "mean_all_backward: the mean of no numbers has no gradient, shape ",
          shape);
  const double factor = 1.0 / static_cast<double>(shape.elements());
  return on_backend(dy, ARBG_BACKENDS(spread))(dy, shape, factor);
}

}  // namespace arbg::tensor
