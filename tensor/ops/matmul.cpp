#include "tensor/ops/matmul.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {
namespace {

void check_inputs(const Tensor& a, const Tensor& b, const char* operation) {
  require_real(a, operation, "a");
  require_real(b, operation, "b");
  require(a.shape().rank() == 2 && b.shape().rank() == 2, operation,
          ": expected a [M, K] and b [K, N], found ", a.shape(), " and ", b.shape());
  require_fits(b, {a.extent(1), b.extent(1)}, a, operation, "b", "[K, N]");
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  check_inputs(a, b, "matmul");
  return on_backend(a, ARBG_BACKENDS(matmul))(a, b);
}

MatmulGradients matmul_backward(const Tensor& dy, const Tensor& a, const Tensor& b) {
  check_inputs(a, b, "matmul_backward");
  require_fits(dy, {a.extent(0), b.extent(1)}, a, "matmul_backward", "dy", "[M, N]");
  return on_backend(a, ARBG_BACKENDS(matmul_backward))(dy, a, b);
}

}  // namespace arbg::tensor
