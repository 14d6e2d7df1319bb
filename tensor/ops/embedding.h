// Rows of a table picked by index: y[m, :] = table[index[m], :].
//
// table [V, C], index int32 [...] -> y [..., C]. The backward adds dy[m, :] into row index[m] of
// *dtable, in the order of m; null means that it is not wanted. Throws Error if an index is outside
// 0 ... V-1, or if shapes, number types or backends do not fit together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor embedding(const Tensor& table, const Tensor& index);
void embedding_backward(const Tensor& dy, const Tensor& index, Tensor* dtable);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor embedding(const Tensor& table, const Tensor& index);
void embedding_backward(const Tensor& dy, const Tensor& index, Tensor* dtable);
}  // namespace reference
namespace cpu {
Tensor embedding(const Tensor& table, const Tensor& index);
void embedding_backward(const Tensor& dy, const Tensor& index, Tensor* dtable);
}  // namespace cpu
namespace cuda {
Tensor embedding(const Tensor& table, const Tensor& index);
void embedding_backward(const Tensor& dy, const Tensor& index, Tensor* dtable);
}  // namespace cuda

}  // namespace arbg::tensor
