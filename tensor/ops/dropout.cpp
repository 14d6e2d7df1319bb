#include "tensor/ops/dropout.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor dropout(const Tensor& x, double rate, const PlacedRandom& random, std::int64_t first_row,
               std::int64_t words_a_row) {
  require_real(x, "dropout", "x");
  require(x.shape().rank() >= 1, "dropout: expected x [M, ...], found ", x.shape());
  require(rate >= 0 && rate < 1, "dropout: the rate is ", rate, ", expected 0 <= rate < 1");
  require_place(random.place, kAnyPlace, x, "dropout");
  const std::int64_t width = x.extent(0) > 0 ? x.elements() / x.extent(0) : 0;
  require(words_a_row == 0 || words_a_row >= width, "dropout: ", words_a_row,
          " words for a row of ", width, " numbers");
  return on_backend(x, ARBG_BACKENDS(dropout))(x, rate, random, first_row,
                                               words_a_row > 0 ? words_a_row : width);
}

}  // namespace arbg::tensor
