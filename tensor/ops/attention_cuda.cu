// Attention in one pass over the keys: a block owns up to 64 queries of one head, a warp 32 of them
// (attention_tiles.cuh). Tiles of 32 keys and 32 values come by asynchronous copies, keys while
// values are at work and the other way round. Source: Dao et al., "FlashAttention", NeurIPS 2022,
// algorithm 1, without its blocks of the output.
//
// For each query and key that it sees 2 D multiplications; a head is 16 D T bytes of global memory,
// and up to 8 D T of the cache before it for each block. Bound by shared memory: at D = 64, 0.8
// multiplications a byte. ptxas for sm_90: 168 registers for D <= 32, 236 for D <= 64, 255 above,
// and 20 bytes spilled for D > 96. 44 KiB of shared memory a block at D = 64.
#include <cmath>
#include <utility>

#include "tensor/gemm/precision.h"
#include "tensor/ops/attention.h"
#include "tensor/ops/attention_bf16.cuh"
#include "tensor/ops/dispatch.h"

namespace arbg::tensor::cuda {
namespace {

constexpr int kOwn = 8;
using Scores = Pairs<kOwn>;

// The weights of a tile, from its dot products; what was summed before is shrunk to them.
template <int kParts>
__device__ void weigh(Softmax (&softmax)[kOwn], Sums<kOwn, kParts>& y, Scores& dot,
                      const Seen (&seen)[kOwn], float scale) {
  for (int i = 0; i < kOwn; ++i) {
    float most = -INFINITY;
    for (int j = 0; j < kMet; ++j) {
      if (seen[i].has(met_row(j))) most = fmaxf(most, dot[i][j]);
    }
    const float shrunk = softmax[i].meet(lanes_max(most, kRing), scale);
    for (int j = 0; j < kMet; ++j) {
      dot[i][j] = seen[i].has(met_row(j)) ? softmax[i].weight(dot[i][j], scale) : 0.0F;
    }
    softmax[i].add(shrunk, dot[i]);
    y.shrink(i, shrunk);
  }
}

template <int kParts>
__global__ void attend(Attention x, Tokens<float> y, Span<float> log_sums) {
  ARBG_DYNAMIC_SHARED(float, memory);
  constexpr int pitch = pitch_of(kParts * kWarp);
  const int rows = rows_of_block<kOwn>(), before = rows_before<kOwn>();
  const Shared<float> q = memory, keys = q + rows * pitch, values = keys + kTile * pitch,
                      weights = values + kTile * pitch + before * kWeightPitch,
                      own_q = q + before * pitch;
  const Block block = this_block<kOwn>(x, x.q.count);
  const std::int64_t own = block.first + before, last = own + kOwn * kRings - 1,
                     end = block.keys_of(block.end - 1);
  Softmax softmax[kOwn];
  Sums<kOwn, kParts> sums;
  fetch(q, rows, rows_of(x.q, block, block.first, block.end, x));
  fetch(keys, kTile, rows_of(x.k, block, 0, end, x));
  fetch(values, kTile, rows_of(x.v, block, 0, end, x));
  for (std::int64_t s = 0; s < end; s += kTile) {
    Seen seen[kOwn];
    for (int i = 0; i < kOwn; ++i)
      seen[i] = {0, at_most_a_tile(block.keys_of(own + own_row(i)) - s)};
    const bool any = own < block.end && block.keys_of(last) > s,
               all = block.keys_of(own) >= s + kTile;
    wait_copies<1>();  // for all but the values
    __syncthreads();
    if (any) {
      Scores dot;
      dot_products<kParts>(dot, own_q, keys, x.D);
      weigh(softmax, sums, dot, seen, x.scale);
      set_weights(weights, dot);
    }
    __syncthreads();
    fetch(keys, kTile, rows_of(x.k, block, s + kTile, end, x));
    wait_copies<1>();  // for all but the next keys
    __syncthreads();
    if (any) sums.add(weights, values, seen, all);
    __syncthreads();
    fetch(values, kTile, rows_of(x.v, block, s + kTile, end, x));
  }
  wait_copies<0>();
  ARBG_UNROLL
  for (int i = 0; i < kOwn; ++i) {
    const std::int64_t t = own + own_row(i);
    const float sum = ring_sum(softmax[i].part);
    if (t >= block.end) continue;
    store(y, block, t, x, sums.of[i], 1.0F / sum);
    if (this_lane() % kRing == 0 && log_sums.size() > 0) {
      log_sums[block.head * x.q.count + t] = fmaf(softmax[i].largest, x.scale, logf(sum));
    }
  }
}

// Whether what is saved for a backward is computed on tensor cores.
bool on_tensor_cores(const Tensor* saved) {
  return saved && product_precision() == ProductPrecision::bf16;
}

Tensor attend(const Attention& x, Tensor y, Tensor* saved) {
  if (on_tensor_cores(saved)) return attend_bf16(x, std::move(y), saved);
  const std::int64_t B = y.extent(0), T = y.extent(1), C = y.extent(2);
  const auto kernel = ARBG_FOR_CHANNELS(x.D, attend);
  if (saved) *saved = empty_like(y, {B, x.H, T});
  launch(kernel, blocks_of_rows<kOwn>(x, B * x.H, T, 1), x, Tokens<float>{numbers<float>(y), T, C},
         saved ? numbers<float>(*saved) : Span<float>(nullptr, 0));
  return y;
}

}  // namespace

Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved, Readers readers) {
  const Attention x = causal("causal_attention", qkv, heads);
  if (!on_tensor_cores(saved) || !x.by_fours) readers = Readers::all;
  const Shape shape{qkv.extent(0), qkv.extent(1), qkv.extent(2) / 3};
  return attend(x, Tensor::empty(shape, type_for(readers, qkv), qkv.backend()), saved);
}

Tensor cross_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& count,
                       int heads, Tensor* saved) {
  return attend(cross("cross_attention", q, k, v, count, heads), empty_like(q, q.shape()), saved);
}

}  // namespace arbg::tensor::cuda
