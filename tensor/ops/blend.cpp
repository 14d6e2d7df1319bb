#include "tensor/ops/blend.h"

#include "tensor/ops/dispatch.h"
#include "tensor/ops/numbers.h"

namespace arbg::tensor {

void blend(Tensor& y, const Tensor& x, const Tensor& scale, const Tensor& a) {
  require_real(y, "blend", "y");
  require_fits(x, y.shape(), y, "blend", "x", "the shape of y");
  require_numbers(scale, 1, y, "blend", "scale");
  require_numbers(a, 1, y, "blend", "a");
  on_backend(y, ARBG_BACKENDS(blend))(y, x, scale, a);
}

}  // namespace arbg::tensor
