#include "tensor/ops/bin_slope.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor bin_slope(const Tensor& logits, const Tensor& index, const Tensor& goes_round,
                 double temperature) {
  require_real(logits, "bin_slope", "logits");
  require(logits.shape().rank() >= 2 && logits.extent(-1) > 0,
          "bin_slope: expected logits [..., n, V] of at least one bin, found ", logits.shape());
  require(temperature > 0, "bin_slope: the temperature must be positive, got ", temperature);
  require_index(index, logits, "bin_slope");
  require(index.shape() == without_last(logits.shape()),
          "bin_slope: expected one index for each row of logits ", logits.shape(), ", found ",
          index.shape());
  require_inside(index, 0, logits.extent(-1) - 1, "bin_slope");
  require_index(goes_round, logits, "bin_slope");
  require(goes_round.shape() == Shape{logits.extent(-2)}, "bin_slope: expected goes_round [",
          logits.extent(-2), "], found ", goes_round.shape());
  Tensor slope = Tensor::empty(index.shape(), DType::f64, logits.backend());
  on_backend(logits, ARBG_BACKENDS(bin_slope))(logits, index, goes_round, temperature, slope);
  return slope;
}

}  // namespace arbg::tensor
