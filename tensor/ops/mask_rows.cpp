#include "tensor/ops/mask_rows.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor mask_rows(const Tensor& x, const Tensor& count, double value) {
  require_real(x, "mask_rows", "x");
  require(x.shape().rank() >= 2, "mask_rows: expected x [B, T, ...], found ", x.shape());
  require_index(count, x, "mask_rows");
  require(count.shape() == Shape{x.extent(0)}, "mask_rows: expected count [B] for x ", x.shape(),
          ", found ", count.shape());
  require_inside(count, 0, x.extent(1), "mask_rows", "count");
  return on_backend(x, ARBG_BACKENDS(mask_rows))(x, count, value);
}

}  // namespace arbg::tensor
