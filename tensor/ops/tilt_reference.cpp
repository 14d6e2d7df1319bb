// y[b, t, v] = x[b, t, v] - sum_k g[b, t, k] u[b, slot[t], k, v], and x where slot[t] is -1;
// x, y [B, T, V], g [B, T, K], u [B, S, K, V], slot [T].
#include "tensor/ops/dispatch.h"
#include "tensor/ops/tilt.h"

namespace arbg::tensor::reference {

Tensor tilt(const Tensor& x, const Tensor& g, const Tensor& u, const Tensor& slot) {
  const std::int64_t B = x.extent(0), T = x.extent(1), V = x.extent(2), S = u.extent(1),
                     K = u.extent(2);
  Tensor y = x.clone();
  const double* G = g.host_data<double>();
  const double* U = u.host_data<double>();
  const std::int32_t* at = slot.host_data<std::int32_t>();
  double* Y = y.host_data<double>();
  for (std::int64_t b = 0; b < B; ++b) {
    for (std::int64_t t = 0; t < T; ++t) {
      if (at[t] < 0) continue;
      for (std::int64_t k = 0; k < K; ++k) {
        for (std::int64_t v = 0; v < V; ++v) {
          Y[(b * T + t) * V + v] -= G[(b * T + t) * K + k] * U[((b * S + at[t]) * K + k) * V + v];
        }
      }
    }
  }
  return y;
}

void tilt_backward(const Tensor& dy, const Tensor& u, const Tensor& slot, Tensor* dg) {
  const std::int64_t B = dy.extent(0), T = dy.extent(1), V = dy.extent(2), S = u.extent(1),
                     K = u.extent(2);
  const double* dY = dy.host_data<double>();
  const double* U = u.host_data<double>();
  const std::int32_t* at = slot.host_data<std::int32_t>();
  double* dG = dg->host_data<double>();
  for (std::int64_t b = 0; b < B; ++b) {
    for (std::int64_t t = 0; t < T; ++t) {
      if (at[t] < 0) continue;
      for (std::int64_t k = 0; k < K; ++k) {
        // Y[(b * T + t) * V + v] -= G[(b * T + t) * K + k] * U[((b * S + at[t]) * K + k) * V + v];
        for (std::int64_t v = 0; v < V; ++v) {
          dG[(b * T + t) * K + k] -= dY[(b * T + t) * V + v] * U[((b * S + at[t]) * K + k) * V + v];
        }
      }
    }
  }
}

}  // namespace arbg::tensor::reference
