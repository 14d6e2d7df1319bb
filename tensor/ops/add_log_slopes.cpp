#include "tensor/ops/add_log_slopes.h"

#include "tensor/ops/dispatch.h"
#include "tensor/ops/numbers.h"

namespace arbg::tensor {

Tensor add_log_slopes(const Tensor& log_q, const Tensor& slope, const Tensor& place,
                      const Tensor& count) {
  require(slope.defined() && slope.dtype() == DType::f64 && slope.shape().rank() == 2,
          "add_log_slopes: expected float64 slopes [B, n]");
  require(place.defined() && place.dtype() == DType::f64 && place.shape() == slope.shape() &&
              place.backend() == slope.backend(),
          "add_log_slopes: expected as many float64 places as slopes ", slope.shape(),
          ", on the same backend");
  require_numbers(log_q, slope.extent(0), slope, "add_log_slopes", "log_q");
  require_index(count, slope, "add_log_slopes");
  require(count.shape() == Shape{slope.extent(0)}, "add_log_slopes: expected count [",
          slope.extent(0), "], found ", count.shape());
  require_inside(count, 0, slope.extent(1), "add_log_slopes");
  Tensor y = Tensor::empty({slope.extent(0)}, DType::f64, slope.backend());
  on_backend(slope, ARBG_BACKENDS(add_log_slopes))(log_q, slope, place, count, y);
  return y;
}

}  // namespace arbg::tensor
