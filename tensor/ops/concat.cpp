#include "tensor/ops/concat.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor concat(const Tensor& a, const Tensor& b) {
  require_real(a, "concat", "a");
  require_real(b, "concat", "b");
  require(a.shape().rank() >= 1 && b.shape().rank() >= 1,
          "concat: expected a [..., A] and b [..., B], found ", a.shape(), " and ", b.shape());
  require_fits(b, with_last(a.shape(), b.extent(-1)), a, "concat", "b", "[..., B]");
  return on_backend(a, ARBG_BACKENDS(concat))(a, b);
}

ConcatGradients concat_backward(const Tensor& dy, std::int64_t columns_of_a) {
  require_real(dy, "concat_backward", "dy");
  require(dy.shape().rank() >= 1 && columns_of_a >= 0 && columns_of_a <= dy.extent(-1),
          "concat_backward: ", columns_of_a, " columns of dy ", dy.shape());
  return on_backend(dy, ARBG_BACKENDS(concat_backward))(dy, columns_of_a);
}

}  // namespace arbg::tensor
