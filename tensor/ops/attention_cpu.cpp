#include <algorithm>
#include <cmath>
#include <utility>

#include "tensor/gemm/gemm_cpu.h"
#include "tensor/ops/attention.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/lane_loops.h"

namespace arbg::tensor::cpu {
namespace {

// Queries are taken a block at a time, against all keys that one of the block may look at.
constexpr std::int64_t kQueries = 12;

// One head of one sequence: T queries look at N keys of D channels each; rows of q (and dq) lie
// q_stride apart, those of k and v (and dk, dv) kv_stride, those of y and dy y_stride.
struct Head {
  bool causal;  // query t looks at keys 0 ... t; otherwise every query at all N
  std::int64_t T, N, D;
  std::int64_t q_stride, kv_stride, y_stride;

  std::int64_t keys_of(std::int64_t t) const { return causal ? t + 1 : N; }
  std::int64_t first_query_of(std::int64_t s) const { return causal ? s : 0; }
};

constexpr std::int64_t padded(std::int64_t count) {
  return (count + kVector - 1) / kVector * kVector;
}

// Which of the keys s, s+1, ... of one vector are among the first `keys`.
LaneMask<float> visible(std::int64_t s, std::int64_t keys) {
  LaneMask<float> place;
  for (int i = 0; i < kVector; ++i) place[i] = i;
  return place < static_cast<std::int32_t>(keys - s);
}

// to [T, padded(D)] = from [T, D], whose rows lie `stride` apart; zeros behind.
void copy_padded(const float* from, std::int64_t stride, std::int64_t T, std::int64_t D,
                 float* to) {
  for (std::int64_t t = 0; t < T; ++t) {
    for (std::int64_t d = 0; d < D; d += kVector) {
      store_lanes<float>(to + t * padded(D) + d, load_some(from + t * stride + d, D - d));
    }
  }
}

// to [D, padded(T)] = the transpose of from [T, D]; zeros behind.
void copy_transposed_padded(const float* from, std::int64_t stride, std::int64_t T, std::int64_t D,
                            float* to) {
  copy_transposed(from, stride, T, D, to, padded(T));
  for (std::int64_t d = 0; d < D; ++d)
    std::fill(to + d * padded(T) + T, to + (d + 1) * padded(T), 0.0f);
}

// score: dot products of `queries` queries from t0 on with the keys that the last of them looks at,
// rows Np apart. On return p_s = exp(score_s / sqrt(D)) / sum, zero for keys not looked at; sum and
// largest are such that log_sum = largest + log(sum). Each step runs over all queries, so that the
// steps of one query overlap with others'.
void softmax(const Head& head, float* score, std::int64_t Np, std::int64_t t0, std::int64_t queries,
             float scale, float* largest, float* sum) {
  const std::int64_t keys = padded(head.keys_of(t0 + queries - 1));
  for (std::int64_t i = 0; i < queries; ++i) {
    const std::int64_t seen = head.keys_of(t0 + i);
    float* row = score + i * Np;
    Lanes<float> most = broadcast(-INFINITY);
    for (std::int64_t s = 0; s < keys; s += kVector) {
      const Lanes<float> x =
          select(visible(s, seen), load_lanes(row + s) * scale, broadcast(-INFINITY));
      most = select(x > most, x, most);
      store_lanes<float>(row + s, x);
    }
    largest[i] = max_lanes(most);
  }
  for (std::int64_t i = 0; i < queries; ++i) {
    float* row = score + i * Np;
    Lanes<float> total{};
    for (std::int64_t s = 0; s < keys; s += kVector) {
      const Lanes<float> p = exp_lanes(load_lanes(row + s) - largest[i]);
      total += p;
      store_lanes<float>(row + s, p);
    }
    sum[i] = sum_lanes(total);
  }
  for (std::int64_t i = 0; i < queries; ++i) {
    const float inverse = 1.0f / sum[i];
    for (std::int64_t s = 0; s < keys; s += kVector) {
      store_lanes<float>(score + i * Np + s, load_lanes(score + i * Np + s) * inverse);
    }
  }
}

// The floats of scratch that one head needs, as tensors would be too many.
class Scratch {
 public:
  explicit Scratch(std::int64_t floats)
      : storage_(Tensor::empty({floats}, DType::f32, Backend::cpu)),
        next_(storage_.host_data<float>()) {}
  float* take(std::int64_t floats) { return std::exchange(next_, next_ + floats); }

 private:
  Tensor storage_;
  float* next_;
};

// q, k, v and y point at the first row's first channel of the head.
void attend(const Head& head, const float* q, const float* k, const float* v, float* y,
            float* log_sum) {
  const auto [causal, T, N, D, q_stride, kv_stride, y_stride] = head;
  const float scale = 1.0f / std::sqrt(static_cast<float>(D));
  const std::int64_t Np = padded(N), Dp = padded(D);
  Scratch scratch(D * Np + N * Dp + kQueries * Np);
  float* k_transposed = scratch.take(D * Np);
  float* v_padded = scratch.take(N * Dp);
  float* p = scratch.take(kQueries * Np);
  copy_transposed_padded(k, kv_stride, N, D, k_transposed);
  copy_padded(v, kv_stride, N, D, v_padded);
  for (std::int64_t t0 = 0; t0 < T; t0 += kQueries) {
    const std::int64_t queries = std::min(kQueries, T - t0), keys = head.keys_of(t0 + queries - 1);
    small_gemm(queries, padded(keys), D, row_major(q + t0 * q_stride, q_stride), k_transposed, Np,
               p, Np, false);
    float largest[padded(kQueries)] = {}, sum[padded(kQueries)] = {};
    softmax(head, p, Np, t0, queries, scale, largest, sum);
    for (std::int64_t i = 0; log_sum && i < queries; i += kVector) {
      const Lanes<float> log_of_sum = log_lanes(load_lanes(sum + i));
      store_some(log_sum + t0 + i, load_lanes(largest + i) + log_of_sum, queries - i);
    }
    small_gemm(queries, D, keys, row_major(p, Np), v_padded, Dp, y + t0 * y_stride, y_stride,
               false);
  }
}

// p, dp: raw dot products q . k and dy . v of one query with the first `keys` keys, of which it
// looks at `seen`; on return the softmax and the gradient of q . k.
void softmax_backward(float* p, float* dp, std::int64_t seen, std::int64_t keys, float scale,
                      float log_sum) {
  Lanes<float> mean_dp_lanes{};
  for (std::int64_t s = 0; s < keys; s += kVector) {
    // p_s = exp(score_s / sqrt(D) - log_sum), zero for keys not looked at.
    const Lanes<float> p_s =
        select(visible(s, seen), exp_lanes(load_lanes(p + s) * scale - log_sum), Lanes<float>{});
    mean_dp_lanes += p_s * load_lanes(dp + s);
    store_lanes<float>(p + s, p_s);
  }
  // The Jacobian of the softmax is p_s (delta_sr - p_r).
  const float mean_dp = sum_lanes(mean_dp_lanes);
  for (std::int64_t s = 0; s < keys; s += kVector) {
    store_lanes<float>(dp + s, load_lanes(p + s) * (load_lanes(dp + s) - mean_dp) * scale);
  }
}

void attend_backward(const Head& head, const float* dy, const float* q, const float* k,
                     const float* v, const float* log_sum, float* dq, float* dk, float* dv) {
  const auto [causal, T, N, D, q_stride, kv_stride, y_stride] = head;
  const float scale = 1.0f / std::sqrt(static_cast<float>(D));
  const std::int64_t Np = padded(N), Dp = padded(D);
  Scratch scratch(2 * D * Np + (2 * T + N) * Dp + 2 * T * Np);
  float* k_transposed = scratch.take(D * Np);
  float* v_transposed = scratch.take(D * Np);
  float* q_padded = scratch.take(T * Dp);
  float* k_padded = scratch.take(N * Dp);
  float* dy_padded = scratch.take(T * Dp);
  float* p = scratch.take(T * Np);
  float* dp = scratch.take(T * Np);
  copy_transposed_padded(k, kv_stride, N, D, k_transposed);
  copy_transposed_padded(v, kv_stride, N, D, v_transposed);
  copy_padded(q, q_stride, T, D, q_padded);
  copy_padded(k, kv_stride, N, D, k_padded);
  copy_padded(dy, y_stride, T, D, dy_padded);
  for (std::int64_t t0 = 0; t0 < T; t0 += kQueries) {
    const std::int64_t queries = std::min(kQueries, T - t0), keys = head.keys_of(t0 + queries - 1);
    float* p_block = p + t0 * Np;
    float* dp_block = dp + t0 * Np;
    // small_gemm(queries, padded(keys), D, q, k_transposed, p); and y = p v.
    small_gemm(queries, padded(keys), D, row_major(q_padded + t0 * Dp, Dp), k_transposed, Np,
               p_block, Np, false);
    small_gemm(queries, padded(keys), D, row_major(dy_padded + t0 * Dp, Dp), v_transposed, Np,
               dp_block, Np, false);
    for (std::int64_t i = 0; i < queries; ++i) {
      softmax_backward(p_block + i * Np, dp_block + i * Np, head.keys_of(t0 + i), keys, scale,
                       log_sum[t0 + i]);
    }
    small_gemm(queries, D, keys, row_major(dp_block, Np), k_padded, Dp, dq + t0 * q_stride,
               q_stride, false);
  }
  for (std::int64_t s0 = 0; s0 < N; s0 += kQueries) {
    const std::int64_t keys = std::min(kQueries, N - s0), t0 = head.first_query_of(s0);
    const std::int64_t corner = t0 * Np + s0;
    small_gemm(keys, D, T - t0, row_major(dp + corner, Np).transposed(), q_padded + t0 * Dp, Dp,
               dk + s0 * kv_stride, kv_stride, false);
    small_gemm(keys, D, T - t0, row_major(p + corner, Np).transposed(), dy_padded + t0 * Dp, Dp,
               dv + s0 * kv_stride, kv_stride, false);
  }
}

}  // namespace

Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved, Readers) {
  const std::int64_t B = qkv.extent(0), T = qkv.extent(1), C = qkv.extent(2) / 3, H = heads;
  const Head head{true, T, T, C / H, 3 * C, 3 * C, C};
  Tensor y = empty_like(qkv, {B, T, C});
  if (saved) *saved = empty_like(qkv, {B, H, T});
  const float* X = qkv.host_data<float>();
  float* Y = y.host_data<float>();
  float* log_sum = saved ? saved->host_data<float>() : nullptr;
  for_pieces(B * H, T * T, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t b = i / H, h = i % H;
      const float* q = X + b * T * 3 * C + h * head.D;
      attend(head, q, q + C, q + 2 * C, Y + b * T * C + h * head.D,
             log_sum ? log_sum + i * T : nullptr);
    }
  });
  return y;
}

Tensor causal_attention_backward(const Tensor& dy, const Tensor& qkv, const Tensor& saved,
                                 int heads, Readers) {
  const std::int64_t B = qkv.extent(0), T = qkv.extent(1), C = qkv.extent(2) / 3, H = heads;
  const Head head{true, T, T, C / H, 3 * C, 3 * C, C};
  Tensor dqkv = empty_like(qkv, qkv.shape());
  const float* X = qkv.host_data<float>();
  const float* dY = dy.host_data<float>();
  const float* log_sum = saved.host_data<float>();
  float* dX = dqkv.host_data<float>();
  for_pieces(B * H, 2 * T * T, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t x = i / H * T * 3 * C + i % H * head.D;
      const std::int64_t y = i / H * T * C + i % H * head.D;
      attend_backward(head, dY + y, X + x, X + x + C, X + x + 2 * C, log_sum + i * T, dX + x,
                      dX + x + C, dX + x + 2 * C);
    }
  });
  return dqkv;
}

Tensor cross_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& count,
                       int heads, Tensor* saved) {
  const std::int64_t B = q.extent(0), T = q.extent(1), N = k.extent(1), C = q.extent(2), H = heads,
                     D = C / H;
  Tensor y = empty_like(q, q.shape());
  if (saved) *saved = empty_like(q, {B, H, T});
  const float *Q = q.host_data<float>(), *K = k.host_data<float>(), *V = v.host_data<float>();
  const std::int32_t* n = count.host_data<std::int32_t>();
  float* Y = y.host_data<float>();
  float* log_sum = saved ? saved->host_data<float>() : nullptr;
  for_pieces(B * H, T * N, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t b = i / H, at = b * T * C + i % H * D, entries = b * N * C + i % H * D;
      attend({false, T, n[b], D, C, C, C}, Q + at, K + entries, V + entries, Y + at,
             log_sum ? log_sum + i * T : nullptr);
    }
  });
  return y;
}

CrossAttentionGradients cross_attention_backward(const Tensor& dy, const Tensor& q, const Tensor& k,
                                                 const Tensor& v, const Tensor& count,
                                                 const Tensor& saved, int heads) {
  const std::int64_t B = q.extent(0), T = q.extent(1), N = k.extent(1), C = q.extent(2), H = heads,
                     D = C / H;
  const auto zeros = [](const Tensor& x) {
    return Tensor::zeros(x.shape(), x.dtype(), x.backend());
  };
  CrossAttentionGradients g{empty_like(q, q.shape()), zeros(k), zeros(v)};
  const float *Q = q.host_data<float>(), *K = k.host_data<float>(), *V = v.host_data<float>();
  const float *dY = dy.host_data<float>(), *log_sum = saved.host_data<float>();
  const std::int32_t* n = count.host_data<std::int32_t>();
  float *dQ = g.dq.host_data<float>(), *dK = g.dk.host_data<float>(), *dV = g.dv.host_data<float>();
  for_pieces(B * H, 2 * T * N, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t b = i / H, at = b * T * C + i % H * D, entries = b * N * C + i % H * D;
      attend_backward({false, T, n[b], D, C, C, C}, dY + at, Q + at, K + entries, V + entries,
                      log_sum + i * T, dQ + at, dK + entries, dV + entries);
    }
  });
  return g;
}

}  // namespace arbg::tensor::cpu
