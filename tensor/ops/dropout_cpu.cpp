#include "tensor/ops/dispatch.h"
#include "tensor/ops/dropout.h"

namespace arbg::tensor::cpu {

Tensor dropout(const Tensor& x, double rate, const PlacedRandom& random, std::int64_t first_row,
               std::int64_t words_a_row) {
  const std::int64_t count = x.elements(), width = x.extent(0) > 0 ? count / x.extent(0) : 0;
  const auto dropped = static_cast<std::uint32_t>(rate * 4294967296.0);  // words below are dropped
  const float scale = static_cast<float>(1 / (1 - rate));
  const Random stream = random_at_place(random);
  Tensor y = empty_like(x, x.shape());
  const float* X = x.host_data<float>();
  float* Y = y.host_data<float>();
  for (std::int64_t m = 0; m < x.extent(0); ++m) {
    const auto first = static_cast<std::uint64_t>((first_row + m) * words_a_row);
    auto words = stream.block(first / 4);
    for (std::int64_t i = 0; i < width; ++i) {
      const std::uint64_t word = first + static_cast<std::uint64_t>(i);
      if (word % 4 == 0) words = stream.block(word / 4);
      const std::int64_t at = m * width + i;
      Y[at] = words[word % 4] < dropped ? 0 : X[at] * scale;
    }
  }
  return y;
}

}  // namespace arbg::tensor::cpu
