#include "tensor/ops/dispatch.h"
#include "tensor/ops/dropout.h"

namespace arbg::tensor::reference {

Tensor dropout(const Tensor& x, double rate, const Random& random, std::int64_t first_row) {
  const std::int64_t count = x.elements(), width = x.extent(0) > 0 ? count / x.extent(0) : 0;
  const auto first = static_cast<std::uint64_t>(first_row * width);
  const auto dropped = static_cast<std::uint32_t>(rate * 4294967296.0);  // words below are dropped
  const double scale = 1 / (1 - rate);
  Tensor y = empty_like(x, x.shape());
  const double* X = x.data<double>();
  double* Y = y.data<double>();
  auto words = random.block(first / 4);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint64_t word = first + static_cast<std::uint64_t>(i);
    if (word % 4 == 0) words = random.block(word / 4);
    Y[i] = words[word % 4] < dropped ? 0 : X[i] * scale;
  }
  return y;
}

}  // namespace arbg::tensor::reference
