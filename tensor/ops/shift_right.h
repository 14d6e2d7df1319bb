// What a network is given to predict tokens from: y[m, 0] = start, y[m, t] = tokens[m, t - 1].
//
// tokens int32 [..., T] -> y int32 [..., T]: the last token of a row is what nothing follows, and
// falls out. Throws Error if tokens are no indices.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor shift_right(const Tensor& tokens, std::int32_t start);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
void shift_right(const Tensor& tokens, std::int32_t start, Tensor& y);
}  // namespace reference
namespace cpu {
void shift_right(const Tensor& tokens, std::int32_t start, Tensor& y);
}  // namespace cpu
namespace cuda {
void shift_right(const Tensor& tokens, std::int32_t start, Tensor& y);
}  // namespace cuda

}  // namespace arbg::tensor
