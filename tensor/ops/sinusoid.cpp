#include "tensor/ops/sinusoid.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor sinusoid(const Tensor& n, std::int64_t channels) {
  require_index(n, n, "sinusoid");
  Tensor y =
      Tensor::empty(with_extra_axis(n.shape(), channels), real_dtype(n.backend()), n.backend());
  on_backend(n, ARBG_BACKENDS(sinusoid))(n, y);
  return y;
}

}  // namespace arbg::tensor
