#include "tensor/ops/blend.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

void blend(Tensor& y, const Tensor& x, double a) {
  require_real(y, "blend", "y");
  require_fits(x, y.shape(), y, "blend", "x", "the shape of y");
  on_backend(y, ARBG_BACKENDS(blend))(y, x, a);
}

}  // namespace arbg::tensor
