#include <algorithm>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/lane_loops.h"
#include "tensor/ops/tilt.h"

namespace arbg::tensor::cpu {
namespace {

// Which curves, [K, V], a row m of B T takes; null: none.
class Curves {
 public:
  Curves(const Tensor& u, const Tensor& slot)
      : u_(u.host_data<float>()),
        slot_(slot.host_data<std::int32_t>()),
        T_(slot.elements()),
        S_(u.extent(1)),
        KV_(u.extent(2) * u.extent(3)) {}
  const float* of(std::int64_t m) const {
    const std::int32_t s = slot_[m % T_];
    return s < 0 ? nullptr : u_ + (m / T_ * S_ + s) * KV_;
  }

 private:
  const float* u_;
  const std::int32_t* slot_;
  std::int64_t T_, S_, KV_;
};

void tilt_row(const float* x, const float* g, const float* u, std::int64_t K, std::int64_t V,
              float* y) {
  for (std::int64_t v = 0; v < V; v += kVector) {
    Lanes<float> tilted = load_some(x + v, V - v);
    for (std::int64_t k = 0; k < K; ++k) tilted -= g[k] * load_some(u + k * V + v, V - v);
    store_some(y + v, tilted, V - v);
  }
}

float dot(const float* a, const float* b, std::int64_t V) {
  Lanes<float> sum{};
  for (std::int64_t v = 0; v < V; v += kVector)
    sum += load_some(a + v, V - v) * load_some(b + v, V - v);
  return sum_lanes(sum);
}

}  // namespace

Tensor tilt(const Tensor& x, const Tensor& g, const Tensor& u, const Tensor& slot) {
  const std::int64_t M = row_count(x.shape()), V = x.extent(2), K = u.extent(2);
  Tensor y = empty_like(x, x.shape());
  const float* X = x.host_data<float>();
  const float* G = g.host_data<float>();
  float* Y = y.host_data<float>();
  const Curves curves(u, slot);
  for_pieces(M, V * (K + 2), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t m = first; m < last; ++m) {
      if (const float* U = curves.of(m))
        tilt_row(X + m * V, G + m * K, U, K, V, Y + m * V);
      else
        std::copy_n(X + m * V, V, Y + m * V);
    }
  });
  return y;
}

void tilt_backward(const Tensor& dy, const Tensor& u, const Tensor& slot, Tensor* dg) {
  const std::int64_t M = row_count(dy.shape()), V = dy.extent(2), K = u.extent(2);
  const float* dY = dy.host_data<float>();
  float* dG = dg->host_data<float>();
  const Curves curves(u, slot);
  for_pieces(M, V * (K + 1), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t m = first; m < last; ++m) {
      const float* U = curves.of(m);
      // Y[m * V + v] = X[m * V + v] - sum_k G[m * K + k] * U[k * V + v];
      for (std::int64_t k = 0; U && k < K; ++k) dG[m * K + k] -= dot(dY + m * V, U + k * V, V);
    }
  });
}

}  // namespace arbg::tensor::cpu
