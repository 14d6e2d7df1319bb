#include "tensor/ops/log_prob.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {
namespace {

void check_inputs(const Tensor& logits, const Tensor& index, const char* operation) {
  require_real(logits, operation, "logits");
  require_index(index, logits, operation);
  require(logits.shape().rank() >= 1 && index.shape() == without_last(logits.shape()), operation,
          ": expected logits [..., V] and one index for each row, found ", logits.shape(), " and ",
          index.shape());
  require_inside(index, 0, logits.extent(-1) - 1, operation);
}

}  // namespace

Tensor log_prob(const Tensor& logits, const Tensor& index) {
  check_inputs(logits, index, "log_prob");
  return on_backend(logits, ARBG_BACKENDS(log_prob))(logits, index);
}

Tensor log_prob_backward(const Tensor& dy, const Tensor& logits, const Tensor& index) {
  check_inputs(logits, index, "log_prob_backward");
  require_fits(dy, index.shape(), logits, "log_prob_backward", "dy", "[...]");
  return on_backend(logits, ARBG_BACKENDS(log_prob_backward))(dy, logits, index);
}

Tensor log_softmax(const Tensor& logits) {
  require_real(logits, "log_softmax", "logits");
  require(logits.shape().rank() >= 1, "log_softmax: expected logits [..., V], found ",
          logits.shape());
  return on_backend(logits, ARBG_BACKENDS(log_softmax))(logits);
}

}  // namespace arbg::tensor
