#include "tensor/ops/rmsnorm.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {
namespace {

void check_inputs(const Tensor& x, const Tensor& weight, const char* operation) {
  require_real(x, operation, "x");
  require(x.shape().rank() >= 1, operation, ": expected x [..., C], found ", x.shape());
  require_fits(weight, {x.extent(-1)}, x, operation, "weight", "[C]");
}

}  // namespace

Tensor rmsnorm(const Tensor& x, const Tensor& weight, double epsilon, Readers readers) {
  check_inputs(x, weight, "rmsnorm");
  return on_backend(x, ARBG_BACKENDS(rmsnorm))(x, weight, epsilon, readers);
}

Tensor rmsnorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                        Tensor* dweight) {
  check_inputs(x, weight, "rmsnorm_backward");
  require_fits(dy, x.shape(), x, "rmsnorm_backward", "dy", "[..., C]");
  if (dweight) require_fits(*dweight, weight.shape(), x, "rmsnorm_backward", "dweight", "[C]");
  return on_backend(x, ARBG_BACKENDS(rmsnorm_backward))(dy, x, weight, epsilon, dweight);
}

}  // namespace arbg::tensor
