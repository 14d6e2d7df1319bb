#include "tensor/ops/log_q_slopes.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor log_q_slopes(const Tensor& log_q, const Tensor& log_target, const Tensor& divisor,
                    const Tensor& numbers) {
  const auto require_doubles = [&](const Tensor& x, const Shape& shape, const char* name) {
    require(x.defined() && x.dtype() == DType::f64 && x.shape() == shape &&
                x.backend() == log_q.backend(),
            "log_q_slopes: expected ", name, " of shape ", shape, " in double, on one backend");
  };
  require(log_q.defined() && log_q.shape().rank() == 1, "log_q_slopes: expected log_q [B]");
  require_doubles(log_q, log_q.shape(), "log_q");
  require_doubles(log_target, log_q.shape(), "log_target");
  require_doubles(divisor, log_q.shape(), "divisor");
  require_doubles(numbers, {3}, "numbers");
  Tensor y = Tensor::empty(log_q.shape(), real_dtype(log_q.backend()), log_q.backend());
  on_backend(log_q, ARBG_BACKENDS(log_q_slopes))(log_q, log_target, divisor, numbers, y);
  return y;
}

}  // namespace arbg::tensor
