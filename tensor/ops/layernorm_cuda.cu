// One warp a row, of which a lane keeps up to 32 numbers in registers; dweight and dbias are sums
// over rows. Bound by memory: forward 8 bytes an element, backward 12 for dx, 8 for dweight and 4
// for dbias; rows of more than 1024 numbers are read once more for each sum over a row.
#include "tensor/ops/kernel_fours.cuh"
#include "tensor/ops/kernel_sums.cuh"
#include "tensor/ops/layernorm.h"

namespace arbg::tensor::cuda {
namespace {

// Of one row of C numbers: its mean, and r = 1 / sqrt(variance + epsilon).
struct Moments {
  float mean, r;
};

// In every lane of the warp.
template <int kHeld>
__device__ Moments moments(const Row<kHeld>& x, std::int64_t C, float epsilon) {
  float sum = 0, squares = 0;
  each_four<kHeld>(C, [&](int part, std::int64_t c) {
    const Four<float> four = x(part, c);
    for (int i = 0; i < 4; ++i) sum += four[i];
  });
  const float mean = warp_sum(sum) / static_cast<float>(C);
  each_four<kHeld>(C, [&](int part, std::int64_t c) {
    const Four<float> four = x(part, c);
    for (int i = 0; i < 4; ++i) {
      const float d = c + i < C ? four[i] - mean : 0.0F;
      squares += d * d;
    }
  });
  return {mean, 1.0F / sqrtf(warp_sum(squares) / static_cast<float>(C) + epsilon)};
}

template <int kHeld>
__global__ void forward(Span<float> y, Span<const float> x, Span<const float> weight,
                        Span<const float> bias, std::int64_t M, float epsilon, bool wide) {
  const std::int64_t m = warp_number(), C = weight.size();
  if (m >= M) return;
  const Row<kHeld> row(x, m, C, wide);
  const auto [mean, r] = moments(row, C, epsilon);
  each_four<kHeld>(C, [&, mean = mean, r = r](int part, std::int64_t c) {
    const Four<float> w = four_of(weight, c, C, wide), b = four_of(bias, c, C, wide);
    Four<float> four = row(part, c);
    for (int i = 0; i < 4; ++i) four[i] = (four[i] - mean) * r * w[i] + b[i];
    set_four(y, m * C + c, (m + 1) * C, four, wide);
  });
}

// Keeps mean and r of each row for dweight.
template <int kHeld>
__global__ void backward(Span<float> dx, Span<float> means, Span<float> rows_r,
                         Span<const float> dy, Span<const float> x, Span<const float> weight,
                         float epsilon, bool wide) {
  const std::int64_t m = warp_number(), M = means.size(), C = weight.size();
  if (m >= M) return;
  const Row<kHeld> row(x, m, C, wide), drow(dy, m, C, wide);
  const auto [mean, r] = moments(row, C, epsilon);
  // y[m * C + c] = (x[m * C + c] - mean) * r * weight[c] + bias[c]; with n = (x - mean) r the
  // normalised row and g = dy weight, dx = r (g - mean(g) - n mean(g n)).
  float sum_g = 0, sum_gn = 0;
  each_four<kHeld>(C, [&, mean = mean, r = r](int part, std::int64_t c) {
    const Four<float> w = four_of(weight, c, C, wide), d = drow(part, c), four = row(part, c);
    for (int i = 0; i < 4; ++i) {
      const float g = d[i] * w[i];
      sum_g += g;
      sum_gn += g * ((four[i] - mean) * r);
    }
  });
  const float mean_g = warp_sum(sum_g) / static_cast<float>(C),
              mean_gn = warp_sum(sum_gn) / static_cast<float>(C);
  each_four<kHeld>(C, [&, mean = mean, r = r](int part, std::int64_t c) {
    const Four<float> w = four_of(weight, c, C, wide), d = drow(part, c);
    Four<float> four = row(part, c);
    for (int i = 0; i < 4; ++i) {
      four[i] = r * (d[i] * w[i] - mean_g - (four[i] - mean) * r * mean_gn);
    }
    set_four(dx, m * C + c, (m + 1) * C, four, wide);
  });
  if (this_lane() > 0) return;
  means[m] = mean;
  rows_r[m] = r;
}

struct OfWeight {
  Span<const float> dy, x, means, rows_r;
  std::int64_t C;
  __device__ float operator()(std::int64_t m, std::int64_t c) const {
    return dy[m * C + c] * ((x[m * C + c] - means[m]) * rows_r[m]);
  }
};

struct OfBias {
  Span<const float> dy;
  std::int64_t C;
  __device__ float operator()(std::int64_t m, std::int64_t c) const { return dy[m * C + c]; }
};

}  // namespace

Tensor layernorm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon) {
  const std::int64_t M = row_count(x.shape()), C = x.extent(-1);
  Tensor y = empty_like(x, x.shape());
  const auto in = numbers<float>(x), w = numbers<float>(weight), b = numbers<float>(bias);
  const auto out = numbers<float>(y);
  launch(holds_many(C) ? forward<kManyHeld> : forward<kFewHeld>, one_warp_each(M), out, in, w, b, M,
         static_cast<float>(epsilon), C % 4 == 0 && wide(out, in, w, b));
  return y;
}

Tensor layernorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                          Tensor* dweight, Tensor* dbias) {
  const std::int64_t M = row_count(x.shape()), C = x.extent(-1);
  Tensor dx = empty_like(x, x.shape()), means = empty_like(x, {M}), rows_r = empty_like(x, {M});
  const auto d = numbers<float>(dy), in = numbers<float>(x), w = numbers<float>(weight);
  const auto out = numbers<float>(dx);
  launch(holds_many(C) ? backward<kManyHeld> : backward<kFewHeld>, one_warp_each(M), out,
         numbers<float>(means), numbers<float>(rows_r), d, in, w, static_cast<float>(epsilon),
         C % 4 == 0 && wide(out, d, in, w));
  if (dweight) {
    add_sum_of_rows(*dweight, M, C,
                    OfWeight{d, in, numbers<float>(std::as_const(means)),
                             numbers<float>(std::as_const(rows_r)), C});
  }
  if (dbias) add_sum_of_rows(*dbias, M, C, OfBias{d, C});
  return dx;
}

}  // namespace arbg::tensor::cuda
