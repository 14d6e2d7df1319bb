#include "tensor/ops/tanh_gate.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor tanh_gate(const Tensor& x, const Tensor& gate) {
  require_real(x, "tanh_gate", "x");
  require_fits(gate, {1}, x, "tanh_gate", "gate", "[1]");
  return on_backend(x, ARBG_BACKENDS(tanh_gate))(x, gate);
}

Tensor tanh_gate_backward(const Tensor& dy, const Tensor& x, const Tensor& gate, Tensor* dgate) {
  require_real(x, "tanh_gate_backward", "x");
  require_fits(gate, {1}, x, "tanh_gate_backward", "gate", "[1]");
  require_fits(dy, x.shape(), x, "tanh_gate_backward", "dy", "the shape of x");
  if (dgate) require_fits(*dgate, {1}, x, "tanh_gate_backward", "dgate", "[1]");
  return on_backend(x, ARBG_BACKENDS(tanh_gate_backward))(dy, x, gate, dgate);
}

}  // namespace arbg::tensor
