#include <cmath>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/lane_loops.h"
#include "tensor/ops/layernorm.h"

namespace arbg::tensor::cpu {
namespace {

// Of one row of C numbers: its mean, and r = 1 / sqrt(variance + epsilon).
struct Moments {
  float mean, r;
};

Moments moments(const float* x, std::int64_t C, double epsilon) {
  Lanes<float> sum{}, squares{};
  for (std::int64_t c = 0; c < C; c += kVector) sum += load_some(x + c, C - c);
  const float mean =
      static_cast<float>(static_cast<double>(sum_lanes(sum)) / static_cast<double>(C));
  for (std::int64_t c = 0; c < C; c += kVector) {
    const Lanes<float> d = load_some(x + c, C - c, mean) - mean;
    squares += d * d;
  }
  const double variance = static_cast<double>(sum_lanes(squares)) / static_cast<double>(C);
  return {mean, static_cast<float>(1.0 / std::sqrt(variance + epsilon))};
}

}  // namespace

Tensor layernorm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon) {
  const std::int64_t M = row_count(x.shape()), C = x.extent(-1);
  Tensor y = empty_like(x, x.shape());
  const float* X = x.host_data<float>();
  const float* W = weight.host_data<float>();
  const float* b = bias.host_data<float>();
  float* Y = y.host_data<float>();
  for_pieces(M, C, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t m = first; m < last; ++m) {
      const auto [mean, r] = moments(X + m * C, C, epsilon);
      for (std::int64_t c = 0; c < C; c += kVector) {
        const Lanes<float> n = (load_some(X + m * C + c, C - c) - mean) * r;
        store_some(Y + m * C + c, n * load_some(W + c, C - c) + load_some(b + c, C - c), C - c);
      }
    }
  });
  return y;
}

Tensor layernorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                          Tensor* dweight, Tensor* dbias) {
  const std::int64_t M = row_count(x.shape()), C = x.extent(-1);
  Tensor dx = empty_like(x, x.shape());
  const float* dY = dy.host_data<float>();
  const float* X = x.host_data<float>();
  const float* W = weight.host_data<float>();
  float* dX = dx.host_data<float>();
  float* dW = dweight ? dweight->host_data<float>() : nullptr;
  float* db = dbias ? dbias->host_data<float>() : nullptr;
  for (std::int64_t m = 0; m < M; ++m) {
    const auto [mean, r] = moments(X + m * C, C, epsilon);
    // Y = n * W + b, n = (X - mean) * r; with g = dY W, dX = r (g - mean(g) - n mean(g n)).
    Lanes<float> sum_g{}, sum_gn{};
    for (std::int64_t c = 0; c < C; c += kVector) {
      const Lanes<float> d = load_some(dY + m * C + c, C - c);
      const Lanes<float> n = (load_some(X + m * C + c, C - c, mean) - mean) * r;
      const Lanes<float> g = d * load_some(W + c, C - c);
      sum_g += g;
      sum_gn += g * n;
      if (dW) store_some(dW + c, load_some(dW + c, C - c) + d * n, C - c);
      if (db) store_some(db + c, load_some(db + c, C - c) + d, C - c);
    }
    const float mean_g = sum_lanes(sum_g) / static_cast<float>(C),
                mean_gn = sum_lanes(sum_gn) / static_cast<float>(C);
    for (std::int64_t c = 0; c < C; c += kVector) {
      const Lanes<float> n = (load_some(X + m * C + c, C - c, mean) - mean) * r;
      const Lanes<float> g = load_some(dY + m * C + c, C - c) * load_some(W + c, C - c);
      store_some(dX + m * C + c, (g - mean_g - n * mean_gn) * r, C - c);
    }
  }
  return dx;
}

}  // namespace arbg::tensor::cpu
