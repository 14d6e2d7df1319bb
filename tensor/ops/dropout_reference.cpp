// y[m, i] = x[m, i] / (1 - rate) if its word is at least rate 2^32, else 0; x, y [M, width].
// The word of (m, i): number (first_row + m) words_a_row + i of the stream.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/dropout.h"

namespace arbg::tensor::reference {

Tensor dropout(const Tensor& x, double rate, const PlacedRandom& random, std::int64_t first_row,
               std::int64_t words_a_row) {
  const std::int64_t rows = x.extent(0), width = rows > 0 ? x.elements() / rows : 0;
  const auto dropped = static_cast<std::uint32_t>(rate * 4294967296.0);  // words below are dropped
  const double scale = 1 / (1 - rate);
  const Random stream = random_at_place(random);
  Tensor y = empty_like(x, x.shape());
  const double* X = x.host_data<double>();
  double* Y = y.host_data<double>();
  for (std::int64_t m = 0; m < rows; ++m) {
    for (std::int64_t i = 0; i < width; ++i) {
      const auto word = static_cast<std::uint64_t>((first_row + m) * words_a_row + i);
      const bool keep = stream.block(word / 4)[word % 4] >= dropped;
      Y[m * width + i] = keep ? X[m * width + i] * scale : 0;
    }
  }
  return y;
}

}  // namespace arbg::tensor::reference
