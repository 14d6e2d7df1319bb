// Dropout: y_i = x_i / (1 - rate) where a random number says so, with probability 1 - rate, else 0.
//
// x [M, ...], any shape. Number i of row m is decided by word (first_row + m) * words_a_row + i of
// the stream `random` has at its place (place.h), so that a batch gives the same in one piece, in
// several, with padding cut off and on any number of threads; words_a_row 0 is as many as x has
// numbers in a row. Linear in x: the backward is dropout(dy, ...) with the same arguments. Source:
// Srivastava et al., JMLR 2014. Throws Error if the rate is not in [0, 1), if words are fewer than
// numbers, or x holds no real numbers.
#pragma once

#include <cstdint>

#include "tensor/ops/place.h"
#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor dropout(const Tensor& x, double rate, const PlacedRandom& random, std::int64_t first_row,
               std::int64_t words_a_row = 0);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor dropout(const Tensor& x, double rate, const PlacedRandom& random, std::int64_t first_row,
               std::int64_t words_a_row);
}  // namespace reference
namespace cpu {
Tensor dropout(const Tensor& x, double rate, const PlacedRandom& random, std::int64_t first_row,
               std::int64_t words_a_row);
}  // namespace cpu
namespace cuda {
Tensor dropout(const Tensor& x, double rate, const PlacedRandom& random, std::int64_t first_row,
               std::int64_t words_a_row);
}  // namespace cuda

}  // namespace arbg::tensor
