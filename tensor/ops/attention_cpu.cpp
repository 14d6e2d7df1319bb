#include <algorithm>
#include <cmath>
#include <utility>

#include "tensor/gemm.h"
#include "tensor/ops/attention.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/lane_loops.h"

namespace arbg::tensor::cpu {
namespace {

// Queries are taken a block at a time, against all keys up to the block's last.
constexpr std::int64_t kQueries = 12;

constexpr std::int64_t padded(std::int64_t count) {
  return (count + kVector - 1) / kVector * kVector;
}

// Which of the tokens s, s+1, ... of one vector token t may look at.
LaneMask<float> visible(std::int64_t s, std::int64_t t) {
  LaneMask<float> place;
  for (int i = 0; i < kVector; ++i) place[i] = i;
  return place <= static_cast<std::int32_t>(t - s);
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

// score: dot products of `queries` tokens from t0 on with all tokens up to the last of them, rows
// Tp apart. On return p_s = exp(score_s / sqrt(D)) / sum, zero for s > t; sum and largest are such
// that log_sum = largest + log(sum). Each step runs over all queries, so that the steps of one
// query overlap with others'.
void softmax(float* score, std::int64_t Tp, std::int64_t t0, std::int64_t queries, float scale,
             float* largest, float* sum) {
  const std::int64_t keys = padded(t0 + queries);
  for (std::int64_t i = 0; i < queries; ++i) {
    float* row = score + i * Tp;
    Lanes<float> most = broadcast(-INFINITY);
    for (std::int64_t s = 0; s < keys; s += kVector) {
      const Lanes<float> x =
          select(visible(s, t0 + i), load_lanes(row + s) * scale, broadcast(-INFINITY));
      most = select(x > most, x, most);
      store_lanes<float>(row + s, x);
    }
    largest[i] = max_lanes(most);
  }
  for (std::int64_t i = 0; i < queries; ++i) {
    float* row = score + i * Tp;
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
      store_lanes<float>(score + i * Tp + s, load_lanes(score + i * Tp + s) * inverse);
    }
  }
}

// The floats of scratch that one head needs, as tensors would be too many.
class Scratch {
 public:
  explicit Scratch(std::int64_t floats)
      : storage_(Tensor::empty({floats}, DType::f32, Backend::cpu)),
        next_(storage_.data<float>()) {}
  float* take(std::int64_t floats) { return std::exchange(next_, next_ + floats); }

 private:
  Tensor storage_;
  float* next_;
};

// qkv and y point at the first token's first channel of one head.
void attend_head(const float* qkv, std::int64_t T, std::int64_t C, std::int64_t D, float* y,
                 float* log_sum) {
  const float scale = 1.0f / std::sqrt(static_cast<float>(D));
  const std::int64_t Tp = padded(T), Dp = padded(D), stride = 3 * C;
  Scratch scratch(D * Tp + T * Dp + kQueries * Tp);
  float* k_transposed = scratch.take(D * Tp);
  float* v = scratch.take(T * Dp);
  float* p = scratch.take(kQueries * Tp);
  copy_transposed_padded(qkv + C, stride, T, D, k_transposed);
  copy_padded(qkv + 2 * C, stride, T, D, v);
  for (std::int64_t t0 = 0; t0 < T; t0 += kQueries) {
    const std::int64_t queries = std::min(kQueries, T - t0), keys = t0 + queries;
    small_gemm(queries, padded(keys), D, row_major(qkv + t0 * stride, stride), k_transposed, Tp, p,
               Tp, false);
    float largest[padded(kQueries)] = {}, sum[padded(kQueries)] = {};
    softmax(p, Tp, t0, queries, scale, largest, sum);
    for (std::int64_t i = 0; log_sum && i < queries; i += kVector) {
      const Lanes<float> log_of_sum = log_lanes(load_lanes(sum + i));
      store_some(log_sum + t0 + i, load_lanes(largest + i) + log_of_sum, queries - i);
    }
    small_gemm(queries, D, keys, row_major(p, Tp), v, Dp, y + t0 * C, C, false);
  }
}

// p, dp: raw dot products q . k and dy . v of query t; on return the softmax and the gradient of q
// . k.
void softmax_backward(float* p, float* dp, std::int64_t t, std::int64_t keys, float scale,
                      float log_sum) {
  Lanes<float> mean_dp_lanes{};
  for (std::int64_t s = 0; s < keys; s += kVector) {
    // p_s = exp(score_s / sqrt(D) - log_sum), zero for s > t.
    const Lanes<float> p_s =
        select(visible(s, t), exp_lanes(load_lanes(p + s) * scale - log_sum), Lanes<float>{});
    mean_dp_lanes += p_s * load_lanes(dp + s);
    store_lanes<float>(p + s, p_s);
  }
  // The Jacobian of the softmax is p_s (delta_sr - p_r).
  const float mean_dp = sum_lanes(mean_dp_lanes);
  for (std::int64_t s = 0; s < keys; s += kVector) {
    store_lanes<float>(dp + s, load_lanes(p + s) * (load_lanes(dp + s) - mean_dp) * scale);
  }
}

void attend_head_backward(const float* dy, const float* qkv, const float* log_sum, std::int64_t T,
                          std::int64_t C, std::int64_t D, float* dqkv) {
  const float scale = 1.0f / std::sqrt(static_cast<float>(D));
  const std::int64_t Tp = padded(T), Dp = padded(D), stride = 3 * C;
  Scratch scratch(2 * D * Tp + 3 * T * Dp + 2 * T * Tp);
  float* k_transposed = scratch.take(D * Tp);
  float* v_transposed = scratch.take(D * Tp);
  float* q = scratch.take(T * Dp);
  float* k = scratch.take(T * Dp);
  float* dy_padded = scratch.take(T * Dp);
  float* p = scratch.take(T * Tp);
  float* dp = scratch.take(T * Tp);
  copy_transposed_padded(qkv + C, stride, T, D, k_transposed);
  copy_transposed_padded(qkv + 2 * C, stride, T, D, v_transposed);
  copy_padded(qkv, stride, T, D, q);
  copy_padded(qkv + C, stride, T, D, k);
  copy_padded(dy, C, T, D, dy_padded);
  for (std::int64_t t0 = 0; t0 < T; t0 += kQueries) {
    const std::int64_t queries = std::min(kQueries, T - t0), keys = t0 + queries;
    float* p_block = p + t0 * Tp;
    float* dp_block = dp + t0 * Tp;
    // small_gemm(queries, padded(keys), D, q, k_transposed, p); and y = p v.
    small_gemm(queries, padded(keys), D, row_major(q + t0 * Dp, Dp), k_transposed, Tp, p_block, Tp,
               false);
    small_gemm(queries, padded(keys), D, row_major(dy_padded + t0 * Dp, Dp), v_transposed, Tp,
               dp_block, Tp, false);
    for (std::int64_t i = 0; i < queries; ++i) {
      softmax_backward(p_block + i * Tp, dp_block + i * Tp, t0 + i, keys, scale, log_sum[t0 + i]);
    }
    small_gemm(queries, D, keys, row_major(dp_block, Tp), k, Dp, dqkv + t0 * stride, stride, false);
  }
  // Keys s0 ... s0+11 were seen by the queries from s0 on.
  for (std::int64_t s0 = 0; s0 < T; s0 += kQueries) {
    const std::int64_t keys = std::min(kQueries, T - s0), diagonal = s0 * Tp + s0;
    float* out = dqkv + s0 * stride;
    small_gemm(keys, D, T - s0, row_major(dp + diagonal, Tp).transposed(), q + s0 * Dp, Dp, out + C,
               stride, false);
    small_gemm(keys, D, T - s0, row_major(p + diagonal, Tp).transposed(), dy_padded + s0 * Dp, Dp,
               out + 2 * C, stride, false);
  }
}

}  // namespace

Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved) {
  const std::int64_t B = qkv.extent(0), T = qkv.extent(1), C = qkv.extent(2) / 3, H = heads,
                     D = C / H;
  Tensor y = empty_like(qkv, {B, T, C});
  if (saved) *saved = empty_like(qkv, {B, H, T});
  const float* X = qkv.data<float>();
  float* Y = y.data<float>();
  float* log_sum = saved ? saved->data<float>() : nullptr;
  for_pieces(B * H, T * T, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t b = i / H, h = i % H;
      attend_head(X + b * T * 3 * C + h * D, T, C, D, Y + b * T * C + h * D,
                  log_sum ? log_sum + i * T : nullptr);
    }
  });
  return y;
}

Tensor causal_attention_backward(const Tensor& dy, const Tensor& qkv, const Tensor& saved,
                                 int heads) {
  const std::int64_t B = qkv.extent(0), T = qkv.extent(1), C = qkv.extent(2) / 3, H = heads,
                     D = C / H;
  Tensor dqkv = empty_like(qkv, qkv.shape());
  const float* X = qkv.data<float>();
  const float* dY = dy.data<float>();
  const float* log_sum = saved.data<float>();
  float* dX = dqkv.data<float>();
  for_pieces(B * H, 2 * T * T, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t x = i / H * T * 3 * C + i % H * D, y = i / H * T * C + i % H * D;
      attend_head_backward(dY + y, X + x, log_sum + i * T, T, C, D, dX + x);
    }
  });
  return dqkv;
}

}  // namespace arbg::tensor::cpu
