#include "tensor/ops/swiglu.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor swiglu(const Tensor& gate, const Tensor& up, Readers readers) {
  require_real(gate, "swiglu", "gate");
  require_fits(up, gate.shape(), gate, "swiglu", "up", "the shape of gate");
  return on_backend(gate, ARBG_BACKENDS(swiglu))(gate, up, readers);
}

SwigluGradients swiglu_backward(const Tensor& dy, const Tensor& gate, const Tensor& up,
                                Readers readers) {
  require_real(gate, "swiglu_backward", "gate");
  require_fits(up, gate.shape(), gate, "swiglu_backward", "up", "the shape of gate");
  require_fits(dy, gate.shape(), gate, "swiglu_backward", "dy", "the shape of gate");
  return on_backend(gate, ARBG_BACKENDS(swiglu_backward))(dy, gate, up, readers);
}

}  // namespace arbg::tensor
