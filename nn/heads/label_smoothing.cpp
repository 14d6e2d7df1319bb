#include "nn/heads/label_smoothing.h"

#include <limits>
#include <vector>

#include "autograd/functions.h"
#include "tensor/base/error.h"

namespace arbg::nn {

namespace ag = autograd;

std::vector<std::int32_t> places_in_one_column(std::span<const std::int32_t> tokens,
                                               std::int64_t V) {
  require(std::ssize(tokens) * V <= std::numeric_limits<std::int32_t>::max(), "label smoothing of ",
          tokens.size(), " positions at once, with ", V,
          " logits each, is too much; use a smaller micro-batch");
  std::vector<std::int32_t> places(tokens.begin(), tokens.end());
  for (std::size_t i = 0; i < places.size(); ++i) {
    require(tokens[i] >= 0 && tokens[i] < V, "label smoothing needs tokens 0 to ", V - 1,
            ", found ", tokens[i]);
    places[i] += static_cast<std::int32_t>(static_cast<std::int64_t>(i) * V);
  }
  return places;
}

ag::Variable smoothing_term(const ag::Variable& logits, const tensor::Tensor& places) {
  const auto B = logits.value().extent(0), T = logits.value().extent(1),
             V = logits.value().extent(2);
  const auto column = ag::reshape(logits, {B * T * V, 1});
  const auto of_tokens = ag::reshape(ag::embedding(column, places), {B, T});
  const auto mean = ag::scale(ag::sum_last(logits), 1.0 / static_cast<double>(V));
  return ag::add(mean, ag::scale(of_tokens, -1));
}

}  // namespace arbg::nn
