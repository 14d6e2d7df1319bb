// Attention in one pass over the keys, on tensor cores: a warp owns 16 queries, a block up to 128
// of one head (attention_bf16.cuh). Keys and values come up to 96 at a time and are met 32 at a
// time, for one update of the softmax.
//
// For each query and key that it meets 2 D multiplications; a head is 16 D T bytes of global
// memory, and up to 8 D T of the cache before it for each block.
#include <cmath>

#include "tensor/ops/attention_bf16.cuh"
#include "tensor/ops/dispatch.h"

namespace arbg::tensor::cuda {
namespace {

// Warps of a block, and blocks that an SM has registers for.
template <int kParts>
constexpr int kMostWarps = kParts == 1 ? 5 : 8;
template <int kParts>
[[maybe_unused]] constexpr int kBlocks = kParts > 2 ? 1 : 4 / kParts;
template <int kParts>
Launch blocks(std::int64_t heads, std::int64_t count) {
  return blocks_on_tensor_cores<kParts>(heads, count, kMostWarps<kParts>);
}

constexpr int kSides = kTile / kSide;  // of keys that share an update of the softmax
using Scores = Dots[kSides];

// sum_s 2^(scale (score_s - largest)) of the keys s that one query has met; its parts, one a lane.
struct Meeting {
  float largest = -INFINITY, part = 0;

  // Makes weights of a tile's scores of the own row i; returns by what to multiply all that was
  // summed so far.
  __device__ float weigh(Scores& scores, int i, float scale) {
    const float before = largest;
    for (const auto& side : scores) {
      for (const auto& half : side) largest = fmaxf(largest, fmaxf(half[2 * i], half[2 * i + 1]));
    }
    for (int lanes = 1; lanes < 4; lanes *= 2)
      largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, lanes));
    const float shrunk = exp2_of((before - largest) * scale), offset = -largest * scale;
    part *= shrunk;
    for (auto& side : scores) {
      for (auto& half : side) {
        for (int n = 2 * i; n < 2 * i + 2; ++n) {
          half[n] = exp2_of(fmaf(half[n], scale, offset));
          part += half[n];
        }
      }
    }
    return shrunk;
  }
};

// What a warp knows of its queries.
template <int kParts>
struct Queries {
  OwnRows<kParts> q;
  float scale;
  Meeting meeting[2];  // of the rows of this lane
  OwnSums<kParts> sums[1] = {};

  // The tile that begins with row `first` of the stage; of its rows, each query sees seen[i].
  __device__ void meet(const Met<kParts>& met, int first, const int (&seen)[2], int sides,
                       bool all) {
    Scores scores;
    ARBG_UNROLL
    for (int side = 0; side < kSides; ++side) {
      if (side < sides) dot_products<kParts>(scores[side], q, met.first, first + side * kSide);
    }
    if (!all) hide(scores, seen);
    for (int i = 0; i < 2; ++i) {
      const float shrunk = meeting[i].weigh(scores, i, scale);
      for (auto& part : sums[0]) {
        for (int n = 2 * i; n < 2 * i + 2; ++n) part[n] *= shrunk;
      }
    }
    ARBG_UNROLL
    for (int side = 0; side < kSides; ++side) {
      if (side < sides)
        add_weighted<kParts, 1>(sums, {weights_of(scores[side])}, met.second, first + side * kSide);
    }
  }
  // -infinity in place of scores of keys that are not seen.
  __device__ static void hide(Scores& scores, const int (&seen)[2]) {
    for (int side = 0; side < kSides; ++side) {
      for (int half = 0; half < 2; ++half) {
        for (int i = 0; i < 4; ++i) {
          if (side * kSide + met_of(half, i) >= seen[i / 2]) scores[side][half][i] = -INFINITY;
        }
      }
    }
  }
};

template <int kParts>
__global__ void __launch_bounds__(kMostWarps<kParts>* kWarp, kBlocks<kParts>)
    attend_on_tensor_cores(Attention x, Written y, Span<float> log_sums) {
  ARBG_DYNAMIC_SHARED(Pair, memory);
  const Met<kParts> met{memory, memory + kStage * kPairs<kParts>};  // keys and values
  const Block block = this_block<kOwnRows>(x, x.q.count);
  const int own = own_side(block), end = static_cast<int>(block.keys_of(block.end - 1)),
            own_end = keys_of_side(block, own),
            all_see = static_cast<int>(block.keys_of(own));  // so many keys
  int see[2];
  for (int i = 0; i < 2; ++i) {
    const std::int64_t keys = block.keys_of(own + lane_row() + 8 * i);
    see[i] = keys < own_end ? static_cast<int>(keys) : own_end;
  }
  Queries<kParts> queries;
  queries.scale = x.scale * kLog2E;
  take<kParts>(queries.q, rows_of(x.q, block, own, block.end, x));
  for (int stage = 0; stage < end; stage += kStage) {
    if (stage > 0) __syncthreads();  // all are done with the stage before
    met.template bring<4>(rows_of(x.k, block, stage, end, x), rows_of(x.v, block, stage, end, x));
    __syncthreads();
    for (int s = stage; s < own_end && s < stage + kStage; s += kTile) {
      queries.meet(met, s - stage, {see[0] - s, see[1] - s}, own_end - s > kSide ? 2 : 1,
                   all_see - s >= kTile);
    }
  }
  float factors[2];
  for (int i = 0; i < 2; ++i) {
    const float sum = sum_of_row(queries.meeting[i].part);
    const std::int64_t t = own + lane_row() + 8 * i;
    factors[i] = 1.0F / sum;
    if (lane_column() == 0 && t < block.end && log_sums.size() > 0)
      log_sums[block.head * x.q.count + t] = fmaf(queries.meeting[i].largest, x.scale, logf(sum));
  }
  store<kParts>(y, block, own, x, queries.sums[0], factors);
}

}  // namespace

Tensor attend_bf16(const Attention& x, Tensor y, Tensor* saved) {
  const std::int64_t B = y.extent(0), T = y.extent(1);
  if (saved) *saved = Tensor::empty({B, x.H, T}, DType::f32, y.backend());
  launch(ARBG_FOR_CHANNELS(x.D, attend_on_tensor_cores), ARBG_FOR_CHANNELS(x.D, blocks)(B * x.H, T),
         x, written_part_of(y, 0, 1), saved ? numbers<float>(*saved) : Span<float>(nullptr, 0));
  return y;
}

}  // namespace arbg::tensor::cuda
