#include "tensor/ops/linear.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {
namespace {

void check_inputs(const Tensor& x, const Tensor& weight, const char* operation) {
  require_operand(x, operation, "x");
  require_real(weight, operation, "weight");
  require(x.shape().rank() >= 1 && weight.shape().rank() == 2, operation,
          ": expected x [..., K] and weight [N, K], found ", x.shape(), " and ", weight.shape());
  require_fits(weight, {weight.extent(0), x.extent(-1)}, x, operation, "weight", "[N, K]");
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_inputs(x, weight, "linear");
  if (bias.defined()) require_fits(bias, {weight.extent(0)}, x, "linear", "bias", "[N]");
  return on_backend(x, ARBG_BACKENDS(linear))(x, weight, bias);
}

Tensor linear_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, Tensor* dweight,
                       Tensor* dbias, bool want_dx) {
  check_inputs(x, weight, "linear_backward");
  const std::int64_t N = weight.extent(0);
  require_operand(dy, "linear_backward", "dy");
  require_beside(dy, with_last(x.shape(), N), x, "linear_backward", "dy", "[..., N]");
  require(!dbias || dy.dtype() == real_dtype(dy.backend()),
          "linear_backward: the sums of a bias need dy in full, found bf16");
  if (dweight) require_fits(*dweight, weight.shape(), x, "linear_backward", "dweight", "[N, K]");
  if (dbias) require_fits(*dbias, {N}, x, "linear_backward", "dbias", "[N]");
  return on_backend(x, ARBG_BACKENDS(linear_backward))(dy, x, weight, dweight, dbias, want_dx);
}

PackedWeight pack_weight(const Tensor& weight) {
  require_real(weight, "pack_weight", "weight");
  require(weight.shape().rank() == 2, "pack_weight: expected weight [N, K], found ",
          weight.shape());
  return {on_backend(weight, ARBG_BACKENDS(pack_weight))(weight), weight.extent(0),
          weight.extent(1)};
}

Tensor linear(const Tensor& x, const PackedWeight& weight, const Tensor& bias) {
  require_operand(x, "linear", "x");
  require(x.shape().rank() >= 1 && x.extent(-1) == weight.K, "linear: expected x [..., ", weight.K,
          "], found ", x.shape());
  require(weight.data.defined() && weight.data.backend() == x.backend(),
          "linear: the packed weight is not on the backend ", name_of(x.backend()), " of x");
  if (bias.defined()) require_fits(bias, {weight.N}, x, "linear", "bias", "[N]");
  return on_backend(x, ARBG_BACKENDS(packed_linear))(x, weight, bias);
}

}  // namespace arbg::tensor
