#include <algorithm>
#include <cmath>

#include "tensor/gemm/gemm_cpu.h"
#include "tensor/ops/cached_attention.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/lane_loops.h"

namespace arbg::tensor::cpu {
namespace {

// One head of one group of rows: arrays of vectors with one row a lane.
struct Head {
  std::int64_t D, length;  // length: tokens, the new one included
  const float* q;          // [D, W]
  const float *k, *v;      // [T, D, W]
  float* p;                // [length, W]
  float* y;                // [D, W]
};

// p_s = q . k_s / sqrt(D), eight tokens at a time so that their chains of additions overlap. The
// last token stands in for those that are missing at the end.
void scores(const Head& head) {
  constexpr std::int64_t kTokens = 8;
  const float scale = 1.0f / std::sqrt(static_cast<float>(head.D));
  for (std::int64_t s = 0; s < head.length; s += kTokens) {
    const float* k[kTokens];
    float* p[kTokens];
#pragma GCC unroll 8
    for (std::int64_t j = 0; j < kTokens; ++j) {
      const std::int64_t token = std::min(s + j, head.length - 1);
      k[j] = head.k + token * head.D * kVector;
      p[j] = head.p + token * kVector;
    }
    Lanes<float> dot[kTokens];
#pragma GCC unroll 8
    for (std::int64_t j = 0; j < kTokens; ++j) dot[j] = Lanes<float>{};
    for (std::int64_t d = 0; d < head.D * kVector; d += kVector) {
      const Lanes<float> q = load_lanes(head.q + d);
#pragma GCC unroll 8
      for (std::int64_t j = 0; j < kTokens; ++j) dot[j] += q * load_lanes(k[j] + d);
    }
#pragma GCC unroll 8
    for (std::int64_t j = 0; j < kTokens; ++j) store_lanes<float>(p[j], dot[j] * scale);
  }
}

// p_s = exp(p_s - largest) / sum. causal_attention() holds token s in lane s % W of its sums and
// joins the lanes by halves; this is the same order.
void softmax(const Head& head) {
  Lanes<float> largest = load_lanes(head.p);
  for (std::int64_t s = 1; s < head.length; ++s) {
    const Lanes<float> x = load_lanes(head.p + s * kVector);
    largest = select(x > largest, x, largest);
  }
  Lanes<float> sum[kVector] = {};
  for (std::int64_t s = 0; s < head.length; ++s) {
    const Lanes<float> p = exp_lanes(load_lanes(head.p + s * kVector) - largest);
    sum[s % kVector] += p;
    store_lanes<float>(head.p + s * kVector, p);
  }
  for (std::int64_t half = kVector / 2; half > 0; half /= 2) {
    for (std::int64_t i = 0; i < half; ++i) sum[i] += sum[i + half];
  }
  const Lanes<float> inverse = 1.0f / sum[0];
  for (std::int64_t s = 0; s < head.length; ++s)
    store_lanes<float>(head.p + s * kVector, load_lanes(head.p + s * kVector) * inverse);
}

// y[d] ... y[d + Count - 1] of y = sum_s p_s v_s.
template <int Count>
void weighted_values(const Head& head, std::int64_t d) {
  Lanes<float> y[Count];
#pragma GCC unroll 16
  for (int j = 0; j < Count; ++j) y[j] = Lanes<float>{};
  for (std::int64_t s = 0; s < head.length; ++s) {
    const Lanes<float> p = load_lanes(head.p + s * kVector);
    const float* v = head.v + (s * head.D + d) * kVector;
#pragma GCC unroll 16
    for (int j = 0; j < Count; ++j) y[j] += p * load_lanes(v + j * kVector);
  }
#pragma GCC unroll 16
  for (int j = 0; j < Count; ++j) store_lanes<float>(head.y + (d + j) * kVector, y[j]);
}

void weighted_values(const Head& head) {
  constexpr int kChannels = kLaneBytes == 64 ? 16 : 8;  // sums that fit into the registers
  std::int64_t d = 0;
  for (; d + kChannels <= head.D; d += kChannels) weighted_values<kChannels>(head, d);
  for (; d < head.D; ++d) weighted_values<1>(head, d);
}

// Where the first number of head h of row b stands in a cache, of whose vectors it has one lane.
std::int64_t place_of(const AttentionCache& cache, std::int64_t b, std::int64_t h) {
  const std::int64_t T = cache.keys.extent(1), D = cache.keys.extent(2);
  return (b / kVector * cache.heads + h) * T * D * kVector + b % kVector;
}

}  // namespace

std::int64_t cache_lanes() { return kVector; }

Tensor cached_attention(const Tensor& qkv, const Tensor& place, AttentionCache& cache) {
  const std::int64_t B = cache.batch, H = cache.heads, T = cache.keys.extent(1),
                     D = cache.keys.extent(2), C = H * D, t = place.host_data<std::int32_t>()[0];
  Tensor y = empty_like(qkv, {B, C});
  const float* X = qkv.host_data<float>();
  float *K = cache.keys.host_data<float>(), *V = cache.values.host_data<float>(),
        *Y = y.host_data<float>();
  for_pieces(cache.keys.extent(0), (t + 1) * D * kVector,
             [&](std::int64_t first, std::int64_t last) {
               std::vector<float> scratch(static_cast<std::size_t>((2 * D + t + 1) * kVector));
               float *q = scratch.data(), *out = q + D * kVector, *p = out + D * kVector;
               for (std::int64_t i = first; i < last; ++i) {
                 const std::int64_t b = i / H * kVector, h = i % H, rows = std::min(kVector, B - b);
                 const float* x = X + b * 3 * C + h * D;
                 float *k = K + i * T * D * kVector, *v = V + i * T * D * kVector;
                 copy_transposed(x, 3 * C, rows, D, q, kVector);
                 copy_transposed(x + C, 3 * C, rows, D, k + t * D * kVector, kVector);
                 copy_transposed(x + 2 * C, 3 * C, rows, D, v + t * D * kVector, kVector);
                 const Head head{D, t + 1, q, k, v, p, out};
                 scores(head);
                 softmax(head);
                 weighted_values(head);
                 copy_transposed(out, kVector, D, rows, Y + b * C + h * D, C);
               }
             });
  return y;
}

void select_rows(const AttentionCache& cache, std::int64_t length,
                 std::span<const std::int64_t> from, AttentionCache& to) {
  const std::int64_t end = length * cache.keys.extent(2) * kVector;
  for (std::int64_t b = 0; b < to.batch; ++b) {
    for (std::int64_t h = 0; h < cache.heads; ++h) {
      const auto x = place_of(cache, from[static_cast<std::size_t>(b)], h), y = place_of(to, b, h);
      for (const auto part : {&AttentionCache::keys, &AttentionCache::values}) {
        const float* X = (cache.*part).host_data<float>() + x;
        float* Y = (to.*part).host_data<float>() + y;
        for (std::int64_t i = 0; i < end; i += kVector) Y[i] = X[i];
      }
    }
  }
}

}  // namespace arbg::tensor::cpu
