// Attention of one more token: a block owns a row and head, and goes over its keys and values 64 at
// a time, a tile of attention_tiles.cuh for each of two warps: a thread has one key's dot product,
// then two channels' sums. Keys and values come by asynchronous copies, keys while values are at
// work and the other way round. How many there are is read from `place`, so the launch is the same
// for every token. Bound by memory: 8 T D bytes for 2 T D multiplications.
//
// The bits are those of causal_attention(): the same dot products, tiles, Softmax and order of
// sums.
#include <cmath>
#include <vector>

#include "tensor/ops/attention_tiles.cuh"
#include "tensor/ops/cached_attention.h"
#include "tensor/ops/dispatch.h"

namespace arbg::tensor::cuda {
namespace {

constexpr int kTiles = 2, kKeys = kTiles * kTile;  // at a time, each with a thread
constexpr int kChannels = kMostChannels / kKeys;   // of a thread

// keys, values [B H, T, D]; qkv [B, 3C]; y [B, C].
struct Cached {
  Span<float> y, keys, values;
  Span<const float> qkv;
  Span<const std::int32_t> place;
  std::int64_t H, T;
  int D;
  bool by_fours;
  float scale;
};

// Writes this token's key and value into the cache, its query into shared memory.
__device__ void take_token(const Cached& x, const Shared<float>& q, std::int64_t t) {
  const std::int64_t head = blockIdx.x, C = x.H * x.D, to = (head * x.T + t) * x.D,
                     from = head / x.H * 3 * C + head % x.H * x.D;
  for (int d = this_thread(); d < pitch_of(x.D); d += kKeys) {
    q[d] = 0.0F;
    if (d >= x.D) continue;
    q[d] = x.qkv[from + d];
    x.keys[to + d] = x.qkv[from + C + d];
    x.values[to + d] = x.qkv[from + 2 * C + d];
  }
}

// As in dot_products(), of this thread's key.
__device__ float dot_product(const Shared<float>& q, const Shared<float>& keys, int D) {
  float dot = 0;
  for (int d = 0; d < D; d += 4) {
    const Four<float> a = load_four(q, d), b = load_four(keys, this_thread() * pitch_of(D) + d);
    for (int e = 0; e < 4; ++e) dot = fmaf(a[e], b[e], dot);
  }
  return dot;
}

// y += sum_s p_s v_s over the first `seen` keys of a tile.
__device__ void add_values(float (&y)[kChannels], const Shared<float>& weights,
                           const Shared<float>& values, int seen, int D) {
  for (int s = 0; s < seen; s += 4) {
    const Four<float> p = load_four(weights, s);
    for (int e = 0; e < 4; ++e) {
      for (int i = 0; i < kChannels; ++i) {
        const int d = this_thread() + i * kKeys;
        if (d < D && s + e < seen) y[i] = fmaf(p[e], values[(s + e) * pitch_of(D) + d], y[i]);
      }
    }
  }
}

__global__ void attend_cached(Cached x) {
  ARBG_DYNAMIC_SHARED(float, memory);
  const int pitch = pitch_of(x.D), thread = this_thread(), warp = this_warp();
  const Shared<float> q = memory, keys = q + pitch, values = keys + kKeys * pitch,
                      weights = values + kKeys * pitch, most = weights + kKeys;
  const std::int64_t head = blockIdx.x, t = x.place[0], end = t + 1;
  const auto rows_from = [&](const Span<float>& numbers, std::int64_t s) {
    return Rows<float>{numbers, (head * x.T + s) * x.D, x.D, end - s, x.D, x.by_fours};
  };
  take_token(x, q, t);
  __syncthreads();
  Softmax softmax;
  float y[kChannels] = {};
  fetch(keys, kKeys, rows_from(x.keys, 0));
  fetch(values, kKeys, rows_from(x.values, 0));
  for (std::int64_t s = 0; s < end; s += kKeys) {
    const bool sees = s + thread < end;
    float shrunk[kTiles], p = 0;
    wait_copies<1>();  // for all but the values
    __syncthreads();
    const float dot = dot_product(q, keys, x.D), largest = lanes_max(sees ? dot : -INFINITY, kWarp);
    if (this_lane() == 0) most[warp] = largest;
    __syncthreads();
    fetch(keys, kKeys, rows_from(x.keys, s + kKeys));
    for (int tile = 0; tile < kTiles; ++tile) {
      shrunk[tile] = softmax.meet(most[tile], x.scale);
      if (tile == warp && sees) p = softmax.weight(dot, x.scale);
    }
    weights[thread] = p;
    wait_copies<1>();  // for all but the next keys
    __syncthreads();
    for (int tile = 0; tile < kTiles; ++tile) {
      const int first = tile * kTile;
      float of_lane[kMet];
      for (int j = 0; j < kMet; ++j) of_lane[j] = weights[first + met_row(j)];
      softmax.add(shrunk[tile], of_lane);
      for (float& one : y) one *= shrunk[tile];
      add_values(y, weights + first, values + first * pitch, at_most_a_tile(end - s - first), x.D);
    }
    __syncthreads();
    fetch(values, kKeys, rows_from(x.values, s + kKeys));
  }
  wait_copies<0>();
  const float factor = 1.0F / ring_sum(softmax.part);
  for (int i = 0; i < kChannels; ++i) {
    const int d = thread + i * kKeys;
    if (d < x.D) x.y[head * x.D + d] = y[i] * factor;
  }
}

// to [B H, T, D]: the first `count` numbers of a head each, from the row from[b].
__global__ void take_rows(Span<float> to, Span<const float> cache, Span<const std::int32_t> from,
                          std::int64_t H, std::int64_t head_size, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i >= from.size() * H * count) return;
  const std::int64_t head = i / count, at = i % count, row = from[head / H];
  to[head * head_size + at] = cache[(row * H + head % H) * head_size + at];
}

}  // namespace

std::int64_t cache_lanes() { return 1; }

Tensor cached_attention(const Tensor& qkv, const Tensor& place, AttentionCache& cache) {
  const std::int64_t B = cache.batch, H = cache.heads, C = qkv.extent(1) / 3;
  const int D = checked_channels("cached_attention", C, static_cast<int>(H));
  Tensor y = empty_like(qkv, {B, C});
  const Cached x{numbers<float>(y),
                 numbers<float>(cache.keys),
                 numbers<float>(cache.values),
                 numbers<float>(qkv),
                 numbers<std::int32_t>(place),
                 H,
                 cache.keys.extent(1),
                 D,
                 are_fours(D, {&cache.keys, &cache.values}),
                 1.0F / std::sqrt(static_cast<float>(D))};
  const auto floats = static_cast<std::size_t>((1 + 2 * kKeys) * pitch_of(D) + kKeys + kTiles);
  launch(attend_cached, {B * H, kKeys, floats * sizeof(float)}, x);
  return y;
}

void select_rows(const AttentionCache& cache, std::int64_t length,
                 std::span<const std::int64_t> from, AttentionCache& to) {
  const Tensor rows = Tensor::from_indices(std::vector<std::int32_t>(from.begin(), from.end()),
                                           {to.batch}, Backend::cuda);
  const std::int64_t D = cache.keys.extent(2), head_size = cache.keys.extent(1) * D,
                     count = length * D;
  for (const auto part : {&AttentionCache::keys, &AttentionCache::values}) {
    launch(take_rows, one_thread_each(to.batch * cache.heads * count), numbers<float>(to.*part),
           numbers<float>(cache.*part), numbers<std::int32_t>(rows), cache.heads, head_size, count);
  }
}

}  // namespace arbg::tensor::cuda
