#include "tensor/ops/tilt.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {
namespace {

// That u and slot have what logits [B, T, V], the argument `name`, are tilted by.
void check_curves(const Tensor& logits, const Tensor& u, const Tensor& slot, const char* operation,
                  const char* name) {
  require_real(logits, operation, name);
  require(logits.shape().rank() == 3, operation, ": expected ", name, " [B, T, V], found ",
          logits.shape());
  require_real(u, operation, "u");
  require(u.shape().rank() == 4, operation, ": expected u [B, S, K, V], found ", u.shape());
  require_fits(u, {logits.extent(0), u.extent(1), u.extent(2), logits.extent(2)}, logits, operation,
               "u", "[B, S, K, V]");
  require_index(slot, logits, operation);
  require(slot.shape() == Shape{logits.extent(1)}, operation, ": expected slot [T] for ", name, " ",
          logits.shape(), ", found ", slot.shape());
  require_inside(slot, -1, u.extent(1) - 1, operation, "slot");
}

}  // namespace

Tensor tilt(const Tensor& x, const Tensor& g, const Tensor& u, const Tensor& slot) {
  check_curves(x, u, slot, "tilt", "x");
  require_fits(g, {x.extent(0), x.extent(1), u.extent(2)}, x, "tilt", "g", "[B, T, K]");
  return on_backend(x, ARBG_BACKENDS(tilt))(x, g, u, slot);
}

void tilt_backward(const Tensor& dy, const Tensor& u, const Tensor& slot, Tensor* dg) {
  if (!dg) return;
  check_curves(dy, u, slot, "tilt_backward", "dy");
  require_fits(*dg, {dy.extent(0), dy.extent(1), u.extent(2)}, dy, "tilt_backward", "dg",
               "[B, T, K]");
  on_backend(dy, ARBG_BACKENDS(tilt_backward))(dy, u, slot, dg);
}

}  // namespace arbg::tensor
