// A branch let in by a learned amount: y = tanh(gate) x.
//
// x [...], gate [1] -> y of the shape of x. The backward returns dx and adds into *dgate (null: not
// wanted). Source: Alayrac et al., "Flamingo", NeurIPS 2022, section 3.2. Throws Error if shapes,
// number types or backends do not fit together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor tanh_gate(const Tensor& x, const Tensor& gate);
Tensor tanh_gate_backward(const Tensor& dy, const Tensor& x, const Tensor& gate, Tensor* dgate);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor tanh_gate(const Tensor& x, const Tensor& gate);
Tensor tanh_gate_backward(const Tensor& dy, const Tensor& x, const Tensor& gate, Tensor* dgate);
}  // namespace reference
namespace cpu {
Tensor tanh_gate(const Tensor& x, const Tensor& gate);
Tensor tanh_gate_backward(const Tensor& dy, const Tensor& x, const Tensor& gate, Tensor* dgate);
}  // namespace cpu
namespace cuda {
Tensor tanh_gate(const Tensor& x, const Tensor& gate);
Tensor tanh_gate_backward(const Tensor& dy, const Tensor& x, const Tensor& gate, Tensor* dgate);
}  // namespace cuda

}  // namespace arbg::tensor
