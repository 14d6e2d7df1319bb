// Logits tilted by curves: y[b, t, v] = x[b, t, v] - sum_k g[b, t, k] u[b, slot[t], k, v].
//
// x [B, T, V], strengths g [B, T, K], curves u [B, S, K, V], slot int32 [T] -> y [B, T, V].
// Position t takes the curves of its slot, 0 ... S-1; a slot of -1 has none, and there y is x. With
// energies as curves softmax_v(y) is proportional to softmax_v(x) exp(-sum_k g u), exponential
// tilting. Each y starts at x and takes k ascending, whatever B and T.
//
// The backward adds -sum_v dy[b, t, v] u[b, slot[t], k, v] into *dg (null: not wanted), and nothing
// at a slot of -1, in an order that depends on V alone; dx is dy itself, u is a constant. Throws
// Error if a slot is outside -1 ... S-1, or if shapes, number types or backends do not fit
// together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor tilt(const Tensor& x, const Tensor& g, const Tensor& u, const Tensor& slot);
void tilt_backward(const Tensor& dy, const Tensor& u, const Tensor& slot, Tensor* dg);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor tilt(const Tensor& x, const Tensor& g, const Tensor& u, const Tensor& slot);
void tilt_backward(const Tensor& dy, const Tensor& u, const Tensor& slot, Tensor* dg);
}  // namespace reference
namespace cpu {
Tensor tilt(const Tensor& x, const Tensor& g, const Tensor& u, const Tensor& slot);
void tilt_backward(const Tensor& dy, const Tensor& u, const Tensor& slot, Tensor* dg);
}  // namespace cpu
namespace cuda {
Tensor tilt(const Tensor& x, const Tensor& g, const Tensor& u, const Tensor& slot);
void tilt_backward(const Tensor& dy, const Tensor& u, const Tensor& slot, Tensor* dg);
}  // namespace cuda

}  // namespace arbg::tensor
