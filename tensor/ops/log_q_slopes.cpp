#include "tensor/ops/log_q_slopes.h"

#include "tensor/ops/dispatch.h"
#include "tensor/ops/numbers.h"

namespace arbg::tensor {

Tensor log_q_slopes(const Tensor& log_q, const Tensor& log_target, const Tensor& divisor,
                    const Tensor& numbers) {
  require(log_q.defined() && log_q.shape().rank() == 1, "log_q_slopes: expected log_q [B]");
  const std::int64_t B = log_q.extent(0);
  require_numbers(log_q, B, log_q, "log_q_slopes", "log_q");
  require_numbers(log_target, B, log_q, "log_q_slopes", "log_target");
  require_numbers(divisor, B, log_q, "log_q_slopes", "divisor");
  require_numbers(numbers, 3, log_q, "log_q_slopes", "numbers");
  Tensor y = Tensor::empty(log_q.shape(), real_dtype(log_q.backend()), log_q.backend());
  on_backend(log_q, ARBG_BACKENDS(log_q_slopes))(log_q, log_target, divisor, numbers, y);
  return y;
}

}  // namespace arbg::tensor
