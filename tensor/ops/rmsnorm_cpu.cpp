#include <cmath>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/lane_loops.h"
#include "tensor/ops/rmsnorm.h"

namespace arbg::tensor::cpu {
namespace {

// 1 / sqrt(mean(x^2) + epsilon) of one row of C numbers.
float inverse_rms(const float* x, std::int64_t C, double epsilon) {
  Lanes<float> sum{};
  for (std::int64_t c = 0; c < C; c += kVector) {
    const Lanes<float> v = load_some(x + c, C - c);
    sum += v * v;
  }
  const double mean = static_cast<double>(sum_lanes(sum)) / static_cast<double>(C);
  return static_cast<float>(1.0 / std::sqrt(mean + epsilon));
}

}  // namespace

Tensor rmsnorm(const Tensor& x, const Tensor& weight, double epsilon, Readers) {
  const std::int64_t M = row_count(x.shape()), C = x.extent(-1);
  Tensor y = empty_like(x, x.shape());
  const float* X = x.host_data<float>();
  const float* W = weight.host_data<float>();
  float* Y = y.host_data<float>();
  for_pieces(M, C, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t m = first; m < last; ++m) {
      const float r = inverse_rms(X + m * C, C, epsilon);
      for (std::int64_t c = 0; c < C; c += kVector) {
        store_some(Y + m * C + c, load_some(X + m * C + c, C - c) * r * load_some(W + c, C - c),
                   C - c);
      }
    }
  });
  return y;
}

Tensor rmsnorm_backward(const Tensor& dy, const Tensor& x, const Tensor& weight, double epsilon,
                        Tensor* dweight) {
  const std::int64_t M = row_count(x.shape()), C = x.extent(-1);
  Tensor dx = empty_like(x, x.shape());
  const float* dY = dy.host_data<float>();
  const float* X = x.host_data<float>();
  const float* W = weight.host_data<float>();
  float* dX = dx.host_data<float>();
  float* dW = dweight ? dweight->host_data<float>() : nullptr;
  for (std::int64_t m = 0; m < M; ++m) {
    const float r = inverse_rms(X + m * C, C, epsilon);
    // Y = X * r * W, where r depends on every X of the row: dr/dX = -r^3 X / C.
    Lanes<float> dr{};
    for (std::int64_t c = 0; c < C; c += kVector) {
      const Lanes<float> dy_x = load_some(dY + m * C + c, C - c) * load_some(X + m * C + c, C - c);
      dr += dy_x * load_some(W + c, C - c);
      if (dW) store_some(dW + c, load_some(dW + c, C - c) + dy_x * r, C - c);
    }
    const float through_r = -sum_lanes(dr) * r * r * r / static_cast<float>(C);
    for (std::int64_t c = 0; c < C; c += kVector) {
      const Lanes<float> direct = load_some(dY + m * C + c, C - c) * load_some(W + c, C - c) * r;
      store_some(dX + m * C + c, direct + through_r * load_some(X + m * C + c, C - c), C - c);
    }
  }
  return dx;
}

}  // namespace arbg::tensor::cpu
