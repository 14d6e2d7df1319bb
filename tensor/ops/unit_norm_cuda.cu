// The square of the norm, then one thread an element. Bound by memory: 12 bytes an element.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel.cuh"
#include "tensor/ops/sum_of_squares.h"
#include "tensor/ops/unit_norm.h"

namespace arbg::tensor::cuda {
namespace {

__global__ void divide(Span<float> y, Span<const float> x, Span<const double> square,
                       double epsilon) {
  const std::int64_t i = thread_number();
  if (i >= y.size()) return;
  y[i] = x[i] * static_cast<float>(1 / (sqrt(square[0]) + epsilon));
}

}  // namespace

Tensor unit_norm(const Tensor& x, double epsilon) {
  Tensor y = empty_like(x, x.shape()), square = Tensor::empty({1}, DType::f64, x.backend());
  cuda::sum_of_squares(std::span(&x, 1), square);
  launch(divide, one_thread_each(x.elements()), numbers<float>(y), numbers<float>(x),
         numbers<double>(std::as_const(square)), epsilon);
  return y;
}

}  // namespace arbg::tensor::cuda
