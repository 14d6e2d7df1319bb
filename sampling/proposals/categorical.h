// How a token is drawn, and the check that a network gave a distribution at all. The distribution
// itself: tensor/ops/draw.h.
#pragma once

#include <vector>

#include "nn/transformer/transformer.h"
#include "tensor/ops/draw.h"

namespace arbg::sampling {

using tensor::Decoding;

// Log probabilities of draw.h, on the host. Throws Error if one is NaN.
std::vector<double> checked_log_p(const nn::Tensor& log_p);

}  // namespace arbg::sampling
