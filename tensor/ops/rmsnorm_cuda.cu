// One warp a row, of which a lane keeps up to 32 numbers in registers; dweight is a sum over rows.
// Bound by memory: forward 8 bytes an element, 6 if products alone read it; backward 12 for dx and
// 8 for dweight; rows of more than 1024 numbers are read once more for each sum over a row.
#include "tensor/ops/kernel_fours.cuh"
#include "tensor/ops/kernel_sums.cuh"
#include "tensor/ops/rmsnorm.h"

namespace arbg::tensor::cuda {
namespace {

// 1 / sqrt(mean(x^2) + epsilon) of a row of C numbers, in every lane of the warp.
template <int kHeld>
__device__ float inverse_rms(const Row<kHeld>& x, std::int64_t C, float epsilon) {
  float sum = 0;
  each_four<kHeld>(C, [&](int part, std::int64_t c) {
    const Four<float> four = x(part, c);
    for (int i = 0; i < 4; ++i) sum += four[i] * four[i];
  });
  return 1.0F / sqrtf(warp_sum(sum) / static_cast<float>(C) + epsilon);
}

template <int kHeld, class To>
__global__ void forward(Span<To> y, Span<const float> x, Span<const float> weight, std::int64_t M,
                        float epsilon, bool wide) {
  const std::int64_t m = warp_number(), C = weight.size();
  if (m >= M) return;
  const Row<kHeld> row(x, m, C, wide);
  const float r = inverse_rms(row, C, epsilon);
  each_four<kHeld>(C, [&](int part, std::int64_t c) {
    const Four<float> w = four_of(weight, c, C, wide);
    Four<float> four = row(part, c);
    for (int i = 0; i < 4; ++i) four[i] = four[i] * r * w[i];
    set_four(y, m * C + c, (m + 1) * C, four, wide);
  });
}

// Keeps r of each row for dweight.
template <int kHeld>
__global__ void backward(Span<float> dx, Span<float> rows_r, Span<const float> dy,
                         Span<const float> x, Span<const float> weight, float epsilon, bool wide) {
  const std::int64_t m = warp_number(), M = rows_r.size(), C = weight.size();
  if (m >= M) return;
  const Row<kHeld> row(x, m, C, wide), drow(dy, m, C, wide);
  const float r = inverse_rms(row, C, epsilon);
  // y[m * C + c] = x[m * C + c] * r * weight[c], where r depends on every x of the row: dr/dx =
  // -r^3 x / C.
  float dr = 0;
  each_four<kHeld>(C, [&](int part, std::int64_t c) {
    const Four<float> w = four_of(weight, c, C, wide), d = drow(part, c), four = row(part, c);
    for (int i = 0; i < 4; ++i) dr += d[i] * four[i] * w[i];
  });
  const float through_r = -warp_sum(dr) * r * r * r / static_cast<float>(C);
  each_four<kHeld>(C, [&](int part, std::int64_t c) {
    const Four<float> w = four_of(weight, c, C, wide), d = drow(part, c);
    Four<float> four = row(part, c);
    for (int i = 0; i < 4; ++i) four[i] = d[i] * r * w[i] + through_r * four[i];
    set_four(dx, m * C + c, (m + 1) * C, four, wide);
  });
  if (this_lane() == 0) rows_r[m] = r;
}

struct OfWeight {
  Span<const float> dy, x, rows_r;
  std::int64_t C;
  __device__ float operator()(std::int64_t m, std::int64_t c) const {
    return dy[m * C + c] * x[m * C + c] * rows_r[m];
  }
};

template <class To>
void launch_forward(const Span<To>& y, const Tensor& x, const Tensor& weight, double epsilon) {
  const std::int64_t M = row_count(x.shape()), C = x.extent(-1);
  const auto in = numbers<float>(x), w = numbers<float>(weight);
  launch(holds_many(C) ? forward<kManyHeld, To> : forward<kFewHeld, To>, one_warp_each(M), y, in, w,
         M, static_cast<float>(epsilon), C % 4 == 0 && wide(in, w));
}

}  // namespace

Tensor rmsnorm(const Tensor& x, const Tensor& weight, double epsilon, Readers readers) {
  const bool by_fours = x.extent(-1) % 4 == 0;
  Tensor y = Tensor::empty(x.shape(), type_for(by_fours ? readers : Readers::all, x), x.backend());
  if (y.dtype() == DType::bf16) {
    launch_forward(rounded_fours(y), x, weight, epsilon);
  } else {
    launch_forward(numbers<float>(y), x, weight, epsilon);
  }
  return y;
}

Tensor rmsnorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                        Tensor* dweight) {
  const std::int64_t M = row_count(x.shape()), C = x.extent(-1);
  Tensor dx = empty_like(x, x.shape()), rows_r = empty_like(x, {M});
  const auto d = numbers<float>(dy), in = numbers<float>(x), w = numbers<float>(weight);
  const auto out = numbers<float>(dx);
  launch(holds_many(C) ? backward<kManyHeld> : backward<kFewHeld>, one_warp_each(M), out,
         numbers<float>(rows_r), d, in, w, static_cast<float>(epsilon),
         C % 4 == 0 && wide(out, d, in, w));
  if (dweight) {
    add_sum_of_rows(*dweight, M, C, OfWeight{d, in, numbers<float>(std::as_const(rows_r)), C});
  }
  return dx;
}

}  // namespace arbg::tensor::cuda
