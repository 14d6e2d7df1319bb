// Label smoothing: the loss against the target (1 - s) onehot(token) + s / V instead of
// onehot(token).
//
// -sum_v target_v log p_v = -(log p_token + s S), S = mean_v logits_v - logits_token, since the
// normalisation of the logits is the same for every v. This is PyTorch's
// CrossEntropyLoss(label_smoothing=s) (Szegedy et al., "Rethinking the Inception architecture",
// 2016). logits [B, T, V], places int32 [B, T] (of the tokens' logits) -> S [B, T].
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "autograd/variable.h"

namespace arbg::nn {

autograd::Variable smoothing_term(const autograd::Variable& logits, const tensor::Tensor& places);

// With all logits in one column, where those of tokens stand: i V + token_i for token i. Throws
// Error for a token outside, or if the places are too many for an index.
std::vector<std::int32_t> places_in_one_column(std::span<const std::int32_t> tokens,
                                               std::int64_t V);

}  // namespace arbg::nn
