// Log probabilities of a categorical distribution given by its logits.
//
// log_prob: y = logits[..., index] - log sum_v exp(logits[..., v]); logits [..., V], index int32
// [...] -> y [...]. Its backward returns dlogits = dy (onehot(index) - softmax(logits)).
// log_softmax: the same for every v, [..., V]. The sum of exponentials runs in double, v ascending
// within fixed lanes, whatever the backend. Throws Error if an index is outside 0 ... V-1, or if
// shapes, number types or backends do not fit together.
#pragma once

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor log_prob(const Tensor& logits, const Tensor& index);
Tensor log_prob_backward(const Tensor& dy, const Tensor& logits, const Tensor& index);
Tensor log_softmax(const Tensor& logits);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
Tensor log_prob(const Tensor& logits, const Tensor& index);
Tensor log_prob_backward(const Tensor& dy, const Tensor& logits, const Tensor& index);
Tensor log_softmax(const Tensor& logits);
}  // namespace reference
namespace cpu {
Tensor log_prob(const Tensor& logits, const Tensor& index);
Tensor log_prob_backward(const Tensor& dy, const Tensor& logits, const Tensor& index);
Tensor log_softmax(const Tensor& logits);
}  // namespace cpu
namespace cuda {
Tensor log_prob(const Tensor& logits, const Tensor& index);
Tensor log_prob_backward(const Tensor& dy, const Tensor& logits, const Tensor& index);
Tensor log_softmax(const Tensor& logits);
}  // namespace cuda

}  // namespace arbg::tensor
