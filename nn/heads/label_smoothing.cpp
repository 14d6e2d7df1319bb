#include "nn/heads/label_smoothing.h"

#include <limits>
#include <vector>

#include "autograd/functions.h"
#include "tensor/base/error.h"

namespace arbg::nn {

namespace ag = autograd;

ag::Variable smoothing_term(const ag::Variable& logits, std::span<const std::int32_t> tokens) {
  const auto B = logits.value().extent(0), T = logits.value().extent(1),
             V = logits.value().extent(2);
  require(B * T * V <= std::numeric_limits<std::int32_t>::max(), "label smoothing of ", B,
          " molecules at once, with ", T * V,
          " logits each, is too much; use a smaller micro-batch");
  for (const auto token : tokens)
    require(token >= 0 && token < V, "label smoothing needs tokens 0 to ", V - 1, ", found ",
            token);
  // With all logits in one column, that of a token stands in row (b T + t) V + token.
  std::vector<std::int32_t> row(tokens.begin(), tokens.end());
  for (std::size_t i = 0; i < row.size(); ++i)
    row[i] += static_cast<std::int32_t>(static_cast<std::int64_t>(i) * V);
  const auto column = ag::reshape(logits, {B * T * V, 1});
  const auto of_tokens = ag::reshape(
      ag::embedding(column, tensor::Tensor::from_indices(row, {B, T}, logits.value().backend())),
      {B, T});
  const auto mean = ag::scale(ag::sum_last(logits), 1.0 / static_cast<double>(V));
  return ag::add(mean, ag::scale(of_tokens, -1));
}

}  // namespace arbg::nn
