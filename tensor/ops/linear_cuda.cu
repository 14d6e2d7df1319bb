// Products of M N K, and the column sums of dy (kernel_sums.cuh), which are bound by memory: 4
// bytes an element of dy.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel_sums.cuh"
#include "tensor/ops/linear.h"
#include "tensor/ops/product_cuda.h"

namespace arbg::tensor::cuda {
namespace {

// y = x W^T + b, W [N, K] as it is or packed.
Tensor applied(const Tensor& x, const Tensor& weight, std::int64_t N, const Tensor& bias) {
  Tensor y = Tensor::empty(with_last(x.shape(), N), DType::f32, x.backend());
  product({.M = row_count(x.shape()), .N = N, .K = x.extent(-1), .transpose_b = true}, x, weight,
          bias, y);
  return y;
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return applied(x, weight, weight.extent(0), bias);
}

Tensor linear_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, Tensor* dweight,
                       Tensor* dbias, bool want_dx) {
  const std::int64_t M = row_count(x.shape()), K = x.extent(-1), N = weight.extent(0);
  // product({M, N, K, transpose_b}, x, weight, bias, y): y = x W^T + bias in every row.
  if (dbias) add_sum_of_rows(*dbias, M, N, Partial{numbers<float>(dy), N});
  const Tensor dY = operand(dy);
  if (dweight) {
    product({.M = N, .N = K, .K = M, .transpose_a = true, .accumulate = true}, dY, x, {}, *dweight);
  }
  if (!want_dx) return {};
  Tensor dx = Tensor::empty(x.shape(), DType::f32, x.backend());
  product({.M = M, .N = K, .K = N}, dY, weight, {}, dx);
  return dx;
}

// In the type that products read.
Tensor pack_weight(const Tensor& weight) {
  const Tensor packed = operand(weight);
  return packed.dtype() == weight.dtype() ? weight.clone() : packed;
}

Tensor packed_linear(const Tensor& x, const PackedWeight& weight, const Tensor& bias) {
  return applied(x, weight.data, weight.N, bias);
}

}  // namespace arbg::tensor::cuda
