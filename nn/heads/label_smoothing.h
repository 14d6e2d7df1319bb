// Label smoothing: the loss against the target (1 - s) onehot(token) + s / V instead of
// onehot(token).
//
// -sum_v target_v log p_v = -(log p_token + s S), S = mean_v logits_v - logits_token, since the
// normalisation of the logits is the same for every v. This is PyTorch's
// CrossEntropyLoss(label_smoothing=s) (Szegedy et al., "Rethinking the Inception architecture",
// 2016). logits [B, T, V], tokens B rows of T -> S [B, T]. Throws Error for a token outside.
#pragma once

#include <cstdint>
#include <span>

#include "autograd/variable.h"

namespace arbg::nn {

autograd::Variable smoothing_term(const autograd::Variable& logits,
                                  std::span<const std::int32_t> tokens);

}  // namespace arbg::nn
