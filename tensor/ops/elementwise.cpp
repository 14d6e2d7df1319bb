#include "tensor/ops/elementwise.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor scale(const Tensor& x, double a) {
  require_real(x, "scale", "x");
  return on_backend(x, ARBG_BACKENDS(scale))(x, a);
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  require_real(a, "multiply", "a");
  require_fits(b, a.shape(), a, "multiply", "b", "the shape of a");
  return on_backend(a, ARBG_BACKENDS(multiply))(a, b);
}

MultiplyGradients multiply_backward(const Tensor& dy, const Tensor& a, const Tensor& b) {
  return {multiply(dy, b), multiply(dy, a)};
}

Tensor square(const Tensor& x) {
  require_real(x, "square", "x");
  return on_backend(x, ARBG_BACKENDS(square))(x);
}

Tensor square_backward(const Tensor& dy, const Tensor& x) {
  require_real(x, "square_backward", "x");
  require_fits(dy, x.shape(), x, "square_backward", "dy", "the shape of x");
  return on_backend(x, ARBG_BACKENDS(square_backward))(dy, x);
}

Tensor gelu(const Tensor& x) {
  require_real(x, "gelu", "x");
  return on_backend(x, ARBG_BACKENDS(gelu))(x);
}

Tensor gelu_backward(const Tensor& dy, const Tensor& x) {
  require_real(x, "gelu_backward", "x");
  require_fits(dy, x.shape(), x, "gelu_backward", "dy", "the shape of x");
  return on_backend(x, ARBG_BACKENDS(gelu_backward))(dy, x);
}

}  // namespace arbg::tensor
