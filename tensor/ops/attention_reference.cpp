// y[b, t, h, :] = sum_s p[s] v[b, s, h, :]
// p[s] = softmax over s of q[b, t, h, :] . k[b, s, h, :] / sqrt(D); H heads of D channels, C = H D.
// Causal: qkv [B, T, 3C], s <= t. Cross: q [B, T, C], k and v [B, N, C], s < count[b]. Cached: qkv
// [B, 3C] of token t, s <= t. y [B, T, C].
#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/ops/attention.h"
#include "tensor/ops/cached_attention.h"
#include "tensor/ops/dispatch.h"

namespace arbg::tensor::reference {
namespace {

// Where channel d of token s is: data[s * stride + d].
struct Rows {
  const double* data;
  std::int64_t stride;

  double at(std::int64_t s, std::int64_t d) const { return data[s * stride + d]; }
};

// One query over the first `length` keys and values.
// p_s = exp(q . k_s / sqrt(D) - log_sum), y = sum_s p_s v_s. Returns log_sum = log sum_s exp(q .
// k_s / sqrt(D)).
double attend(const double* q, const Rows& k, const Rows& v, std::int64_t length, std::int64_t D,
              double* y) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(D));
  std::vector<double> score(static_cast<std::size_t>(length));
  double largest = -INFINITY;
  for (std::int64_t s = 0; s < length; ++s) {
    double dot = 0;
    for (std::int64_t d = 0; d < D; ++d) dot += q[d] * k.at(s, d);
    score[static_cast<std::size_t>(s)] = dot * scale;
    largest = std::max(largest, dot * scale);
  }
  double sum = 0;
  for (const double one : score) sum += std::exp(one - largest);
  const double log_sum = largest + std::log(sum);
  std::fill_n(y, D, 0.0);
  for (std::int64_t s = 0; s < length; ++s) {
    const double p = std::exp(score[static_cast<std::size_t>(s)] - log_sum);
    for (std::int64_t d = 0; d < D; ++d) y[d] += p * v.at(s, d);
  }
  return log_sum;
}

// The gradients of the same: dq, dk and dv are added to. k, v, dk and dv have their rows `stride`
// apart.
void attend_backward(const double* dy, const double* q, const double* k, const double* v,
                     std::int64_t stride, double log_sum, std::int64_t length, std::int64_t D,
                     double* dq, double* dk, double* dv) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(D));
  std::vector<double> p(static_cast<std::size_t>(length)), dp(p);
  double mean_dp = 0;
  for (std::int64_t s = 0; s < length; ++s) {
    double dot = 0, dp_s = 0;
    for (std::int64_t d = 0; d < D; ++d) dot += q[d] * k[s * stride + d];
    const double p_s = std::exp(dot * scale - log_sum);
    // y[d] += p * v.at(s, d);
    for (std::int64_t d = 0; d < D; ++d) {
      dp_s += dy[d] * v[s * stride + d];
      dv[s * stride + d] += dy[d] * p_s;
    }
    p[static_cast<std::size_t>(s)] = p_s;
    dp[static_cast<std::size_t>(s)] = dp_s;
    mean_dp += p_s * dp_s;
  }
  for (std::int64_t s = 0; s < length; ++s) {
    // p = exp(score[s] - log_sum): the softmax, whose Jacobian is p_s (delta_sr - p_r);
    // score[s] = dot * scale; dot += q[d] * k.at(s, d);
    const double p_s = p[static_cast<std::size_t>(s)], dp_s = dp[static_cast<std::size_t>(s)];
    const double ddot = p_s * (dp_s - mean_dp) * scale;
    for (std::int64_t d = 0; d < D; ++d) {
      dq[d] += ddot * k[s * stride + d];
      dk[s * stride + d] += ddot * q[d];
    }
  }
}

}  // namespace

Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved, Readers) {
  const std::int64_t B = qkv.extent(0), T = qkv.extent(1), C = qkv.extent(2) / 3, H = heads,
                     D = C / H;
  Tensor y = empty_like(qkv, {B, T, C});
  if (saved) *saved = empty_like(qkv, {B, H, T});
  for (std::int64_t b = 0; b < B; ++b) {
    for (std::int64_t h = 0; h < H; ++h) {
      const double* q = qkv.host_data<double>() + b * T * 3 * C + h * D;
      for (std::int64_t t = 0; t < T; ++t) {
        double* out = y.host_data<double>() + (b * T + t) * C + h * D;
        const double log_sum =
            attend(q + t * 3 * C, {q + C, 3 * C}, {q + 2 * C, 3 * C}, t + 1, D, out);
        if (saved) saved->host_data<double>()[(b * H + h) * T + t] = log_sum;
      }
    }
  }
  return y;
}

Tensor causal_attention_backward(const Tensor& dy, const Tensor& qkv, const Tensor& saved,
                                 int heads, Readers) {
  const std::int64_t B = qkv.extent(0), T = qkv.extent(1), C = qkv.extent(2) / 3, H = heads,
                     D = C / H;
  Tensor dqkv = Tensor::zeros(qkv.shape(), qkv.dtype(), qkv.backend());
  for (std::int64_t b = 0; b < B; ++b) {
    for (std::int64_t h = 0; h < H; ++h) {
      const double* q = qkv.host_data<double>() + b * T * 3 * C + h * D;
      double* dq = dqkv.host_data<double>() + b * T * 3 * C + h * D;
      for (std::int64_t t = 0; t < T; ++t) {
        // attend(q + t * 3 * C, {q + C, 3 * C}, {q + 2 * C, 3 * C}, t + 1, D, out);
        attend_backward(dy.host_data<double>() + (b * T + t) * C + h * D, q + t * 3 * C, q + C,
                        q + 2 * C, 3 * C, saved.host_data<double>()[(b * H + h) * T + t], t + 1, D,
                        dq + t * 3 * C, dq + C, dq + 2 * C);
      }
    }
  }
  return dqkv;
}

Tensor cross_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& count,
                       int heads, Tensor* saved) {
  const std::int64_t B = q.extent(0), T = q.extent(1), N = k.extent(1), C = q.extent(2), H = heads,
                     D = C / H;
  Tensor y = empty_like(q, q.shape());
  if (saved) *saved = empty_like(q, {B, H, T});
  for (std::int64_t b = 0; b < B; ++b) {
    for (std::int64_t h = 0; h < H; ++h) {
      const std::int64_t entries = b * N * C + h * D;
      for (std::int64_t t = 0; t < T; ++t) {
        const std::int64_t at = (b * T + t) * C + h * D;
        const double log_sum =
            attend(q.host_data<double>() + at, {k.host_data<double>() + entries, C},
                   {v.host_data<double>() + entries, C}, count.host_data<std::int32_t>()[b], D,
                   y.host_data<double>() + at);
        if (saved) saved->host_data<double>()[(b * H + h) * T + t] = log_sum;
      }
    }
  }
  return y;
}

CrossAttentionGradients cross_attention_backward(const Tensor& dy, const Tensor& q, const Tensor& k,
                                                 const Tensor& v, const Tensor& count,
                                                 const Tensor& saved, int heads) {
  const std::int64_t B = q.extent(0), T = q.extent(1), N = k.extent(1), C = q.extent(2), H = heads,
                     D = C / H;
  const auto zeros = [](const Tensor& like) {
    return Tensor::zeros(like.shape(), like.dtype(), like.backend());
  };
  CrossAttentionGradients g{zeros(q), zeros(k), zeros(v)};
  for (std::int64_t b = 0; b < B; ++b) {
    for (std::int64_t h = 0; h < H; ++h) {
      const std::int64_t entries = b * N * C + h * D;
      for (std::int64_t t = 0; t < T; ++t) {
        // attend(q + at, {k + entries, C}, {v + entries, C}, count[b], D, y + at);
        const std::int64_t at = (b * T + t) * C + h * D;
        attend_backward(dy.host_data<double>() + at, q.host_data<double>() + at,
                        k.host_data<double>() + entries, v.host_data<double>() + entries, C,
                        saved.host_data<double>()[(b * H + h) * T + t],
                        count.host_data<std::int32_t>()[b], D, g.dq.host_data<double>() + at,
                        g.dk.host_data<double>() + entries, g.dv.host_data<double>() + entries);
      }
    }
  }
  return g;
}

// The cached form of the same loop: its keys and values [B H, T, D, 1].
Tensor cached_attention(const Tensor& qkv, const Tensor& place, AttentionCache& cache) {
  const std::int64_t B = cache.batch, H = cache.heads, T = cache.keys.extent(1),
                     D = cache.keys.extent(2), C = H * D, t = place.host_data<std::int32_t>()[0];
  Tensor y = empty_like(qkv, {B, C});
  for (std::int64_t b = 0; b < B; ++b) {
    for (std::int64_t h = 0; h < H; ++h) {
      const double* q = qkv.host_data<double>() + b * 3 * C + h * D;
      double* k = cache.keys.host_data<double>() + (b * H + h) * T * D;
      double* v = cache.values.host_data<double>() + (b * H + h) * T * D;
      std::copy_n(q + C, D, k + t * D);
      std::copy_n(q + 2 * C, D, v + t * D);
      attend(q, {k, D}, {v, D}, t + 1, D, y.host_data<double>() + b * C + h * D);
    }
  }
  return y;
}

std::int64_t cache_lanes() { return 1; }

void select_rows(const AttentionCache& cache, std::int64_t length,
                 std::span<const std::int64_t> from, AttentionCache& to) {
  const std::int64_t H = cache.heads, T = cache.keys.extent(1), D = cache.keys.extent(2);
  for (std::int64_t b = 0; b < to.batch; ++b) {
    for (std::int64_t h = 0; h < H; ++h) {
      const std::int64_t x = (from[static_cast<std::size_t>(b)] * H + h) * T * D,
                         y = (b * H + h) * T * D, count = length * D;
      std::copy_n(cache.keys.host_data<double>() + x, count, to.keys.host_data<double>() + y);
      std::copy_n(cache.values.host_data<double>() + x, count, to.values.host_data<double>() + y);
    }
  }
}

}  // namespace arbg::tensor::reference
