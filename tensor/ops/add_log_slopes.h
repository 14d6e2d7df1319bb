// Log densities of rows with what places within sloped bins (bin_slope.h) add to them.
//
//   y_b = log_q_b + sum_t log(1 + slope_bt place_bt),   t < count_b
//
// log_q float64 [B]; slope, place float64 [B, n], |slope| <= 1.8, |place| <= 1/2; count int32 [B],
// 0 <= count_b <= n -> y float64 [B], summed in the order of t. Throws Error if a count is outside,
// or if shapes, number types or backends do not fit together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor add_log_slopes(const Tensor& log_q, const Tensor& slope, const Tensor& place,
                      const Tensor& count);

// The implementations, one a backend; their inputs have been checked. That of the reference serves
// the cpu too.
namespace reference {
void add_log_slopes(const Tensor& log_q, const Tensor& slope, const Tensor& place,
                    const Tensor& count, Tensor& y);
}  // namespace reference
namespace cpu {
using reference::add_log_slopes;
}  // namespace cpu
namespace cuda {
void add_log_slopes(const Tensor& log_q, const Tensor& slope, const Tensor& place,
                    const Tensor& count, Tensor& y);
}  // namespace cuda

}  // namespace arbg::tensor
