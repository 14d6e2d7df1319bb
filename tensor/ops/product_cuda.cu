// Rounding: a thread owns 8 numbers where these are aligned, else one. Bound by memory: 6 bytes a
// number.
#include "tensor/gemm/precision.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel_fours.cuh"
#include "tensor/ops/product_cuda.h"

namespace arbg::tensor::cuda {
namespace {

constexpr int kWide = 8;

template <class T>
struct alignas(16) Eight {
  T x[kWide];
};

__global__ void round_each(Span<BFloat16> y, Span<const float> x) {
  const std::int64_t i = thread_number();
  if (i < y.size()) y[i] = rounded(x[i]);
}

__global__ void round_wide(Span<Eight<BFloat16>> y, Span<const Eight<float>> x) {
  const std::int64_t i = thread_number();
  if (i >= y.size()) return;
  const Eight<float> from = x[i];
  Eight<BFloat16> to;
  for (int k = 0; k < kWide; ++k) to.x[k] = rounded(from.x[k]);
  y[i] = to;
}

bool is_wide(const Tensor& x) {
  const auto address = reinterpret_cast<std::uintptr_t>(x.device_data<float>());
  return x.elements() % kWide == 0 && address % alignof(Eight<float>) == 0;
}

Tensor to_bf16(const Tensor& x) {
  if (x.dtype() == DType::bf16) return x;
  Tensor y = Tensor::empty(x.shape(), DType::bf16, x.backend());
  const std::int64_t n = x.elements(), wide = n / kWide;
  if (is_wide(x)) {
    auto* to = reinterpret_cast<Eight<BFloat16>*>(y.device_data<BFloat16>());
    const auto* from = reinterpret_cast<const Eight<float>*>(x.device_data<float>());
    launch(round_wide, one_thread_each(wide), Span(to, wide), Span(from, wide));
  } else {
    launch(round_each, one_thread_each(n), numbers<BFloat16>(y), numbers<float>(x));
  }
  return y;
}

// A product whose sums have no terms. One thread an element.
__global__ void start_each(Span<float> c, Span<const float> bias, std::int64_t N, bool accumulate) {
  const std::int64_t i = thread_number();
  if (i >= c.size()) return;
  const float before = accumulate ? static_cast<float>(c[i]) : 0.0F;
  c[i] = bias.size() > 0 ? before + bias[i % N] : before;
}

}  // namespace

Tensor operand(const Tensor& x) {
  return product_precision() == ProductPrecision::bf16 ? to_bf16(x) : x;
}

void product(const Product& product, const Tensor& a, const Tensor& b, const Tensor& bias,
             Tensor& c) {
  if (product.M == 0 || product.N == 0) return;
  if (product.K == 0) {
    launch(start_each, one_thread_each(c.elements()), numbers<float>(c),
           bias.defined() ? numbers<float>(bias) : Span<const float>(nullptr, 0), product.N,
           product.accumulate);
    return;
  }
  const ProductPrecision precision = product_precision();
  const bool bf16 =
      precision == ProductPrecision::bf16 || a.dtype() == DType::bf16 || b.dtype() == DType::bf16;
  gemm(product, precision == ProductPrecision::tf32, bf16 ? to_bf16(a) : a, bf16 ? to_bf16(b) : b,
       bias, c);
}

}  // namespace arbg::tensor::cuda
