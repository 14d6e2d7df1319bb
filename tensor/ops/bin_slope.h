// How steep a density is within a bin, by the heights of the bins beside it.
//
//   a = clamp((P(k+1) - P(k-1)) / (2 P(k)), -1.8, 1.8),   P(v) = exp(logits[v] / tau) / sum over v
//
// Within bin k the density is then 1 + a t times its mean there, t from -1/2 at the lower edge to
// 1/2 at the upper one: the line through the mean heights of both edges, held above 0. Its integral
// does not depend on a. Where bins go round a period, bins 0 and V - 1 are beside each other. At an
// end of others, the difference to the one bin beside it stands for half of that between two. Where
// neighbours leave no number (none has a probability), and for a single bin, a is 0.
//
// logits [..., n, V], index k int32 [..., n], goes_round int32 [n] (0 or 1) -> a float64 [..., n],
// in double from the logits as they are. A row has the same bits alone and among others. Throws
// Error if tau is not positive, V is 0, an index is outside 0 ... V - 1, or shapes, number types or
// backends do not fit together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

inline constexpr double kSteepest = 1.8;

Tensor bin_slope(const Tensor& logits, const Tensor& index, const Tensor& goes_round,
                 double temperature);

// The implementations, one a backend; their inputs have been checked. That of the reference serves
// the cpu too.
namespace reference {
void bin_slope(const Tensor& logits, const Tensor& index, const Tensor& goes_round,
               double temperature, Tensor& slope);
}  // namespace reference
namespace cpu {
using reference::bin_slope;
}  // namespace cpu
namespace cuda {
void bin_slope(const Tensor& logits, const Tensor& index, const Tensor& goes_round,
               double temperature, Tensor& slope);
}  // namespace cuda

}  // namespace arbg::tensor
