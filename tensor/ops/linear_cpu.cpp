#include <algorithm>

#include "tensor/gemm/product_cpu.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/lane_loops.h"
#include "tensor/ops/linear.h"

namespace arbg::tensor::cpu {
namespace {

// y [M, N] of x [M, K], holding the bias in every row if there is one: what a product adds to.
Tensor with_bias(const Tensor& x, std::int64_t N, const Tensor& bias) {
  Tensor y = empty_like(x, with_last(x.shape(), N));
  if (bias.defined()) {
    const std::int64_t M = row_count(x.shape());
    for (std::int64_t m = 0; m < M; ++m)
      std::copy_n(bias.host_data<float>(), N, y.host_data<float>() + m * N);
  }
  return y;
}

// out[n] += sum_m x[m, n], m ascending.
void add_column_sums(const float* x, std::int64_t M, std::int64_t N, float* out) {
  for (std::int64_t n = 0; n < N; n += kVector) {
    const std::int64_t some = std::min(kVector, N - n);
    Lanes<float> sum = load_some(out + n, some);
    for (std::int64_t m = 0; m < M; ++m) sum += load_some(x + m * N + n, some);
    store_some(out + n, sum, some);
  }
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const std::int64_t M = row_count(x.shape()), K = x.extent(-1), N = weight.extent(0);
  Tensor y = with_bias(x, N, bias);
  product(M, N, K, row_major(x.host_data<float>(), K),
          row_major(weight.host_data<float>(), K).transposed(), y.host_data<float>(),
          bias.defined());
  return y;
}

Tensor pack_weight(const Tensor& weight) {
  const std::int64_t N = weight.extent(0), K = weight.extent(1);
  const MatrixView W = row_major(weight.host_data<float>(), K);
  if (product_precision() == ProductPrecision::bf16) return pack_matrix_bf16(N, K, W.transposed());
  Tensor packed = empty_like(weight, {packed_size(K, N)});
  pack_matrix(N, K, W.transposed(), packed.host_data<float>());
  return packed;
}

Tensor packed_linear(const Tensor& x, const PackedWeight& weight, const Tensor& bias) {
  Tensor y = with_bias(x, weight.N, bias);
  const std::int64_t M = row_count(x.shape()), N = weight.N, K = weight.K;
  const MatrixView X = row_major(x.host_data<float>(), K);
  if (weight.data.dtype() == DType::i32)  // of bf16
    gemm_packed_bf16(M, N, K, X, weight.data, y.host_data<float>(), bias.defined());
  else
    gemm_packed(M, N, K, X, weight.data.host_data<float>(), y.host_data<float>(), bias.defined());
  return y;
}

Tensor linear_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, Tensor* dweight,
                       Tensor* dbias, bool want_dx) {
  const std::int64_t M = row_count(x.shape()), K = x.extent(-1), N = weight.extent(0);
  const MatrixView X = row_major(x.host_data<float>(), K),
                   W = row_major(weight.host_data<float>(), K);
  const MatrixView dY = row_major(dy.host_data<float>(), N);
  // product(M, N, K, X, W.transposed(), Y, bias): Y = bias + X W^T.
  if (dbias) add_column_sums(dy.host_data<float>(), M, N, dbias->host_data<float>());
  if (dweight) product(N, K, M, dY.transposed(), X, dweight->host_data<float>(), true);
  if (!want_dx) return {};
  Tensor dx = empty_like(x, x.shape());
  product(M, K, N, dY, W, dx.host_data<float>(), false);
  return dx;
}

}  // namespace arbg::tensor::cpu
