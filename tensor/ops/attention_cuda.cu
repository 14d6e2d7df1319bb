// Causal attention in one pass over the keys: a block owns 16 queries of one head, a warp four of
// them, a lane a key for the scores and every 32nd channel for the sums. Tiles of 32 keys and 32
// values come by asynchronous copies, keys while values are at work and the other way round.
// Source: Dao et al., "FlashAttention", NeurIPS 2022, algorithm 1, without its blocks of the
// output. 2 T D multiplications a query for 4 T D / 16 bytes: bound by shared memory.
#include <cmath>

#include "tensor/ops/attention.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel.cuh"

namespace arbg::tensor::cuda {
namespace {

constexpr int kWarps = 4, kOwn = 4;  // queries of a warp
constexpr int kQueries = kWarps * kOwn;
constexpr int kKeys = kWarp;
constexpr int kMostChannels = 128, kParts = kMostChannels / kWarp;

// What one query has seen so far: y = sum_s exp(score_s - largest) v_s, of the lane's channels.
struct Query {
  float largest = -INFINITY, sum = 0;
  float y[kParts] = {};
};

// Starts to bring `count` rows of D numbers, `from` on and `stride` apart, to rows `pitch` apart.
__device__ void fetch(const Shared<float>& to, int pitch, const Span<const float>& from,
                      std::int64_t first, std::int64_t stride, std::int64_t count, int D) {
  for (int i = this_thread(); i < count * D; i += block_threads()) {
    copy_async(&to[i / D * pitch + i % D], &from[first + i / D * stride + i % D]);
  }
  commit_copies();
}

__device__ float warp_max(float value) {
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
    value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, lanes));
  }
  return value;
}

// exp(score - largest) of the lane's key, one of the first `length` of the tile, 0 for the others;
// what was summed under a smaller `largest` is scaled down.
__device__ float weigh(Query& query, const Shared<float>& q, const Shared<float>& keys,
                       std::int64_t length, int D, float scale) {
  const int lane = this_lane();
  float score = 0;
  for (int d = 0; d < D && lane < length; ++d) score += q[d] * keys[lane * (D + 1) + d];
  score = lane < length ? score * scale : -INFINITY;
  const float largest = fmaxf(query.largest, warp_max(score));
  const float shrunk = expf(query.largest - largest);
  const float p = lane < length ? expf(score - largest) : 0.0F;
  query.largest = largest;
  query.sum = query.sum * shrunk + warp_sum(p);
  for (float& part : query.y) part *= shrunk;
  return p;
}

// y += sum_s p_s v_s over the first `length` values of the tile; p_s is lane s's.
__device__ void add_values(Query& query, float p, const Shared<float>& values, int length, int D) {
  const int lane = this_lane();
  for (int s = 0; s < length; ++s) {
    const float p_s = __shfl_sync(kAllLanes, p, s);
    for (int part = 0; part < kParts; ++part) {
      const int d = part * kWarp + lane;
      if (d < D) query.y[part] += p_s * values[s * D + d];
    }
  }
}

__device__ int at_most_a_tile(std::int64_t keys) {
  return keys < 0 ? 0 : keys < kKeys ? static_cast<int>(keys) : kKeys;
}

__global__ void causal(Span<float> y, Span<float> log_sums, Span<const float> qkv, std::int64_t T,
                       std::int64_t H, int D, float scale) {
  ARBG_DYNAMIC_SHARED(float, memory);
  const Shared<float> q = memory, keys = q + kQueries * D, values = keys + kKeys * (D + 1);
  const std::int64_t C = H * D, tiles = divided_up(T, kQueries), head = blockIdx.x / tiles,
                     first = blockIdx.x % tiles * kQueries, b = head / H, h = head % H,
                     end = first + kQueries < T ? first + kQueries : T, q_0 = b * T * 3 * C + h * D,
                     k_0 = q_0 + C, v_0 = q_0 + 2 * C;
  const int lane = this_lane(), warp = this_warp();
  Query own[kOwn];
  float p[kOwn];
  fetch(q, D, qkv, q_0 + first * 3 * C, 3 * C, end - first, D);
  fetch(keys, D + 1, qkv, k_0, 3 * C, at_most_a_tile(end), D);
  fetch(values, D, qkv, v_0, 3 * C, at_most_a_tile(end), D);
  for (std::int64_t s = 0; s < end; s += kKeys) {
    const std::int64_t next = s + kKeys;
    wait_copies<1>();  // for all but the values
    __syncthreads();
    for (int i = 0; i < kOwn; ++i) {
      const int row = i * kWarps + warp, length = at_most_a_tile(first + row + 1 - s);
      if (length > 0 && first + row < end)
        p[i] = weigh(own[i], q + row * D, keys, length, D, scale);
    }
    __syncthreads();
    fetch(keys, D + 1, qkv, k_0 + next * 3 * C, 3 * C, at_most_a_tile(end - next), D);
    wait_copies<1>();  // for all but the next keys
    __syncthreads();
    for (int i = 0; i < kOwn; ++i) {
      const int row = i * kWarps + warp, length = at_most_a_tile(first + row + 1 - s);
      if (length > 0 && first + row < end) add_values(own[i], p[i], values, length, D);
    }
    __syncthreads();
    fetch(values, D, qkv, v_0 + next * 3 * C, 3 * C, at_most_a_tile(end - next), D);
  }
  wait_copies<0>();
  for (int i = 0; i < kOwn; ++i) {
    const std::int64_t t = first + i * kWarps + warp;
    if (t >= end) continue;
    for (int part = 0; part < kParts; ++part) {
      const int d = part * kWarp + lane;
      if (d < D) y[(b * T + t) * C + h * D + d] = own[i].y[part] / own[i].sum;
    }
    if (lane == 0 && log_sums.size() > 0) {
      log_sums[head * T + t] = own[i].largest + logf(own[i].sum);
    }
  }
}

}  // namespace

Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved) {
  const std::int64_t B = qkv.extent(0), T = qkv.extent(1), C = qkv.extent(2) / 3;
  const int D = static_cast<int>(C / heads);
  require(D <= kMostChannels, "causal_attention: expected heads of at most ", kMostChannels,
          " channels on cuda, found ", D, "; use more heads or the backend cpu");
  Tensor y = empty_like(qkv, {B, T, C});
  if (saved) *saved = empty_like(qkv, {B, heads, T});
  const auto floats = static_cast<std::size_t>(kQueries * D + kKeys * (D + 1) + kKeys * D);
  launch(causal, {B * heads * divided_up(T, kQueries), kWarps * kWarp, floats * sizeof(float)},
         numbers<float>(y), saved ? numbers<float>(*saved) : Span<float>(nullptr, 0),
         numbers<float>(qkv), T, std::int64_t{heads}, D, 1.0F / std::sqrt(static_cast<float>(D)));
  return y;
}

}  // namespace arbg::tensor::cuda
