#include "tensor/ops/shift_right.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor shift_right(const Tensor& tokens, std::int32_t start) {
  require_index(tokens, tokens, "shift_right");
  require(tokens.shape().rank() >= 1, "shift_right: expected tokens [..., T], found ",
          tokens.shape());
  Tensor y = empty_like(tokens, tokens.shape());
  on_backend(tokens, ARBG_BACKENDS(shift_right))(tokens, start, y);
  y.set_index_bounds(tokens.index_bounds().joined({start, start}));
  return y;
}

}  // namespace arbg::tensor
