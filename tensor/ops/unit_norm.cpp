#include "tensor/ops/unit_norm.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor unit_norm(const Tensor& x, double epsilon) {
  require_real(x, "unit_norm", "x");
  return on_backend(x, ARBG_BACKENDS(unit_norm))(x, epsilon);
}

}  // namespace arbg::tensor
