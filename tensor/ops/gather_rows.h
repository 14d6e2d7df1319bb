// Rows of a tensor in a new order: y[r, ...] = x[from[r], ...], some left out, some repeated.
//
// x [M, ...], real numbers or indices; from int32 [R] -> y [R, ...]. The backward, of real numbers,
// returns dx [M, ...], to whose row from[r] dy[r, ...] is added, r ascending. Throws Error if a row
// is outside 0 ... M-1, or if shapes, number types or backends do not fit together. Of a table of
// parameters: embedding.h.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor gather_rows(const Tensor& x, const Tensor& from);
Tensor gather_rows_backward(const Tensor& dy, const Tensor& from, std::int64_t rows);

// The implementations, one a backend; their inputs have been checked, and dx is zero.
namespace reference {
void gather_rows(const Tensor& x, const Tensor& from, Tensor& y);
void gather_rows_backward(const Tensor& dy, const Tensor& from, Tensor& dx);
}  // namespace reference
namespace cpu {
void gather_rows(const Tensor& x, const Tensor& from, Tensor& y);
void gather_rows_backward(const Tensor& dy, const Tensor& from, Tensor& dx);
}  // namespace cpu
namespace cuda {
void gather_rows(const Tensor& x, const Tensor& from, Tensor& y);
void gather_rows_backward(const Tensor& dy, const Tensor& from, Tensor& dx);
}  // namespace cuda

}  // namespace arbg::tensor
