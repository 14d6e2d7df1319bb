// Sums of tensors: of equal shape, in place, and of one block of rows to every batch entry.
//
// add: a + b. add_into: a += b. add_rows: y[b, t, c] = x[b, t, c] + rows[t, c], x [B, T, C], rows
// [T, C]; its backward adds sum_b dy[b, t, c] into *drows (null: not wanted), in an order that
// depends on B alone; dx is dy itself. Throws Error if shapes, number types or backends do not fit
// together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor add(const Tensor& a, const Tensor& b);
void add_into(Tensor& a, const Tensor& b);
Tensor add_rows(const Tensor& x, const Tensor& rows);
void add_rows_backward(const Tensor& dy, Tensor* drows);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
void add_into(Tensor& a, const Tensor& b);
Tensor add(const Tensor& a, const Tensor& b);
Tensor add_rows(const Tensor& x, const Tensor& rows);
void add_rows_backward(const Tensor& dy, Tensor* drows);
}  // namespace reference
namespace cpu {
void add_into(Tensor& a, const Tensor& b);
Tensor add(const Tensor& a, const Tensor& b);
Tensor add_rows(const Tensor& x, const Tensor& rows);
void add_rows_backward(const Tensor& dy, Tensor* drows);
}  // namespace cpu
namespace cuda {
void add_into(Tensor& a, const Tensor& b);
Tensor add(const Tensor& a, const Tensor& b);
Tensor add_rows(const Tensor& x, const Tensor& rows);
void add_rows_backward(const Tensor& dy, Tensor* drows);
}  // namespace cuda

}  // namespace arbg::tensor
