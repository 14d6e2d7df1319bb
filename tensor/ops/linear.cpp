#include "tensor/ops/linear.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {
namespace {

void check_inputs(const Tensor& x, const Tensor& weight, const char* operation) {
  require_real(x, operation, "x");
  require_real(weight, operation, "weight");
  require(x.shape().rank() >= 1 && weight.shape().rank() == 2, operation,
          ": expected x [..., K] and weight [N, K], found ", x.shape().text(), " and ",
          weight.shape().text());
  require_fits(weight, {weight.extent(0), x.extent(-1)}, x, operation, "weight", "[N, K]");
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_inputs(x, weight, "linear");
  if (bias.defined()) require_fits(bias, {weight.extent(0)}, x, "linear", "bias", "[N]");
  return on_backend(x, reference::linear, cpu::linear)(x, weight, bias);
}

Tensor linear_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, Tensor* dweight,
                       Tensor* dbias, bool want_dx) {
  check_inputs(x, weight, "linear_backward");
  const std::int64_t N = weight.extent(0);
  require_fits(dy, with_last(x.shape(), N), x, "linear_backward", "dy", "[..., N]");
  if (dweight) require_fits(*dweight, weight.shape(), x, "linear_backward", "dweight", "[N, K]");
  if (dbias) require_fits(*dbias, {N}, x, "linear_backward", "dbias", "[N]");
  return on_backend(x, reference::linear_backward, cpu::linear_backward)(dy, x, weight, dweight,
                                                                         dbias, want_dx);
}

}  // namespace arbg::tensor
