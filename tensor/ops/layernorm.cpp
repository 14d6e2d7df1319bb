#include "tensor/ops/layernorm.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {
namespace {

void check_inputs(const Tensor& x, const Tensor& weight, const char* operation) {
  require_real(x, operation, "x");
  require(x.shape().rank() >= 1, operation, ": expected x [..., C], found ", x.shape());
  require_fits(weight, {x.extent(-1)}, x, operation, "weight", "[C]");
}

}  // namespace

Tensor layernorm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon) {
  check_inputs(x, weight, "layernorm");
  require_fits(bias, weight.shape(), x, "layernorm", "bias", "[C]");
  return on_backend(x, ARBG_BACKENDS(layernorm))(x, weight, bias, epsilon);
}

Tensor layernorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                          Tensor* dweight, Tensor* dbias) {
  check_inputs(x, weight, "layernorm_backward");
  require_fits(dy, x.shape(), x, "layernorm_backward", "dy", "[..., C]");
  if (dweight) require_fits(*dweight, weight.shape(), x, "layernorm_backward", "dweight", "[C]");
  if (dbias) require_fits(*dbias, weight.shape(), x, "layernorm_backward", "dbias", "[C]");
  return on_backend(x, ARBG_BACKENDS(layernorm_backward))(dy, x, weight, epsilon, dweight, dbias);
}

}  // namespace arbg::tensor
