#include "tensor/ops/transpose.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor transpose(const Tensor& x) {
  require_real(x, "transpose", "x");
  require(x.shape().rank() == 2, "transpose: expected x [R, C], found ", x.shape());
  return on_backend(x, ARBG_BACKENDS(transpose))(x);
}

}  // namespace arbg::tensor
