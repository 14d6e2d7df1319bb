#include "tensor/ops/dropout.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor dropout(const Tensor& x, double rate, const Random& random, std::int64_t first_row) {
  require_real(x, "dropout", "x");
  require(x.shape().rank() >= 1, "dropout: expected x [M, ...], found ", x.shape());
  require(rate >= 0 && rate < 1, "dropout: the rate is ", rate, ", expected 0 <= rate < 1");
  return on_backend(x, reference::dropout, cpu::dropout)(x, rate, random, first_row);
}

}  // namespace arbg::tensor
