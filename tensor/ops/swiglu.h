// The gated unit of the feed-forward block: y = silu(gate) * up, silu(g) = g / (1 + exp(-g)).
//
// gate and up have the same shape, which is that of y and of both gradients. y, and the gradients,
// as their readers want them (precision.h).
// Source: Shazeer, "GLU Variants Improve Transformer", 2020, eq. 6 (the matrices are linear.h's).
// Throws Error if shapes, number types or backends do not fit together.
#pragma once

#include "tensor/gemm/precision.h"
#include "tensor/tensor.h"

namespace arbg::tensor {

struct SwigluGradients {
  Tensor dgate, dup;
};

Tensor swiglu(const Tensor& gate, const Tensor& up, Readers readers = Readers::all);
SwigluGradients swiglu_backward(const Tensor& dy, const Tensor& gate, const Tensor& up,
                                Readers readers = Readers::all);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor swiglu(const Tensor& gate, const Tensor& up, Readers readers);
SwigluGradients swiglu_backward(const Tensor& dy, const Tensor& gate, const Tensor& up,
                                Readers readers);
}  // namespace reference
namespace cpu {
Tensor swiglu(const Tensor& gate, const Tensor& up, Readers readers);
SwigluGradients swiglu_backward(const Tensor& dy, const Tensor& gate, const Tensor& up,
                                Readers readers);
}  // namespace cpu
namespace cuda {
Tensor swiglu(const Tensor& gate, const Tensor& up, Readers readers);
SwigluGradients swiglu_backward(const Tensor& dy, const Tensor& gate, const Tensor& up,
                                Readers readers);
}  // namespace cuda

}  // namespace arbg::tensor
