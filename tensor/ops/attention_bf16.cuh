// Attention on tensor cores, for products of bf16 (gemm/precision.h), and what its kernels share.
//
// Queries, keys, values and their gradients are float32 in memory and rounded to bf16 where they
// are read; so are the probabilities, which are at most 1, and their products with dp
// (attention_backward_bf16_cuda.cu). Scores, the softmax and all sums are float32.
//
// A warp owns 16 rows, queries or keys, as first operands in its registers, and meets those of the
// other kind 16 at a time. The block brings up to kStage of them at once into shared memory, in
// rows of pairs; a dot product reads these as they lie, a weighted sum transposed. Sums of dot
// products are laid out like the weights of the next product, so nothing leaves the registers in
// between. Source: Dao, "FlashAttention-2", 2023, sections 3.1 and 3.3.
//
// Sums run upwards over 16 rows after the other, counted from the first of the sequence: no number
// of a molecule depends on others, nor one of a query on what comes behind it. Only infinity and
// NaN reach the up to 15 queries of the same 16 rows before their own: 0 times NaN is NaN.
#pragma once

#include "tensor/ops/attention_tiles.cuh"
#include "tensor/ops/kernel_matrices.cuh"

namespace arbg::tensor::cuda {

// Rows that are written, as Tokens: in full, or rounded for products; the other has no numbers.
struct Written {
  Span<float> full;
  Span<Pair> rounded;
  std::int64_t count, stride;
};

// One of the three parts of qkv [B, T, 3C]; all of x [B, T, C].
inline Written written_part_of(Tensor& x, int part, int parts) {
  const std::int64_t stride = x.extent(2), before = part * stride / parts, size = x.elements();
  if (x.dtype() != DType::bf16) {
    const Span<float> full = numbers<float>(x);
    return {size > 0 ? full + before : full, {nullptr, 0}, x.extent(1), stride};
  }
  const Span<Pair> pairs{reinterpret_cast<Pair*>(x.device_data<BFloat16>()), size / 2};
  return {{nullptr, 0}, size > 0 ? pairs + before / 2 : pairs, x.extent(1), stride};
}

struct AttentionGradients {
  Written q, k, v;
};

// As attend() of attention_cuda.cu and attend_backward() of attention_backward_cuda.cu. y and the
// gradients are float32, or bf16 if x.by_fours.
Tensor attend_bf16(const Attention& x, Tensor y, Tensor* saved);
void attend_backward_bf16(const Attention& x, const Tensor& dy, const Tensor& saved,
                          const AttentionGradients& gradients);

constexpr int kSide = 16;    // rows and channels of a first operand
constexpr int kStage = 96;   // met rows in shared memory
constexpr int kOwnRows = 4;  // of this_block(): for each of a warp's kRings
static_assert(kOwnRows * kRings == kSide && kStage % kTile == 0);
constexpr float kLog2E = 1.4426950408889634F;

// Pairs between two rows in shared memory: eight of them, 16 bytes each, are in different banks.
template <int kParts>
constexpr int kPairs = kParts* kWarp / 2 + 4;

// Blocks that own all rows of `heads` heads, of `count` tokens each, and stages of two arrays. As
// many warps as share the rows of a head evenly: they read what they meet once for all.
template <int kParts>
Launch blocks_on_tensor_cores(std::int64_t heads, std::int64_t count, int most_warps) {
  if (heads * count == 0) return {0, kWarp};
  const std::int64_t parts = divided_up(count, kSide),
                     warps = divided_up(parts, divided_up(parts, most_warps));
  return {heads * divided_up(parts, warps), warps * kWarp,
          std::size_t{2} * kStage * kPairs<kParts> * sizeof(Pair)};
}

// The first of the 16 rows that this warp owns; how many keys these see together, if they are
// queries: 0 if it has none.
__device__ inline int own_side(const Block& block) {
  return static_cast<int>(block.first) + rows_before<kOwnRows>();
}
__device__ inline int keys_of_side(const Block& block, int own) {
  if (own >= block.end) return 0;
  return static_cast<int>(block.keys_of(own + kSide < block.end ? own + kSide - 1 : block.end - 1));
}

// This lane's place in a first operand and in sums: rows r and r + 8, columns c, c + 1 of each 8.
__device__ inline int lane_row() { return this_lane() / 4; }
__device__ inline int lane_column() { return this_lane() % 4 * 2; }

// Over the four lanes that share rows, the same bits in each of them.
__device__ inline float sum_of_row(float value) {
  for (int lanes = 2; lanes > 0; lanes /= 2) value += __shfl_xor_sync(kAllLanes, value, lanes);
  return value;
}

// N channels of a row from d on, in one access if `wide`; 0 in place of those that are not there.
template <bool wide, int N>
__device__ Several<float, N> channels_of(const Rows<const float>& from, int row, int d) {
  Several<float, N> x{};
  const std::int64_t at = from.first + row * from.stride + d;
  const bool is_there = row < from.count;
  if constexpr (!wide) {
    for (int n = 0; n < N; ++n) {
      if (is_there && d + n < from.D) x[n] = from.numbers[at + n];
    }
  } else if constexpr (N == 2) {
    if (is_there && d < from.D) x = load_two(from.numbers, at);
  } else {
    if (is_there && d < from.D) x = load_four(from.numbers, at);
  }
  return x;
}

// The warp's own rows, of kParts times 32 channels.
template <int kParts>
using OwnRows = Four<Pair>[2 * kParts];

template <int kParts, bool wide>
__device__ void take_rows(OwnRows<kParts>& own, const Rows<const float>& from) {
  ARBG_UNROLL
  for (int step = 0; step < 2 * kParts; ++step) {
    ARBG_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int row = lane_row() + i % 2 * 8, d = step * kSide + lane_column() + i / 2 * 8;
      const Two<float> x = channels_of<wide, 2>(from, row, d);
      own[step][i] = pair_of(x[0], x[1]);
    }
  }
}
template <int kParts>
__device__ void take(OwnRows<kParts>& own, const Rows<const float>& from) {
  if (from.by_fours) {
    take_rows<kParts, true>(own, from);
  } else {
    take_rows<kParts, false>(own, from);
  }
}

// What a block meets: up to kStage rows of two tensors, in shared memory.
template <int kParts>
struct Met {
  Shared<Pair> first, second;

  // Brings the first rows of `a` and `b`, which have as many, in whole sides; zeros in place of
  // rows that are not there and of channels behind D. A thread has kAtOnce fours of each under way
  // before it writes the first.
  template <int kAtOnce>
  __device__ void bring(const Rows<const float>& a, const Rows<const float>& b) const {
    if (a.by_fours) {
      bring_rows<kAtOnce, true>(a, b);
    } else {
      bring_rows<1, false>(a, b);
    }
  }

 private:
  template <int kAtOnce, bool wide>
  __device__ void bring_rows(const Rows<const float>& a, const Rows<const float>& b) const {
    constexpr int kLanes = kParts == 1 ? 8 : kParts == 2 ? 16 : 32;  // of a row
    const int step = block_threads() / kLanes, d = this_thread() % kLanes * 4,
              rows =
                  a.count < kStage ? static_cast<int>(divided_up(a.count, kSide)) * kSide : kStage;
    if (d >= kParts * kWarp) return;
    for (int start = this_thread() / kLanes; start < rows; start += kAtOnce * step) {
      Four<float> x[kAtOnce], y[kAtOnce];
      ARBG_UNROLL
      for (int i = 0; i < kAtOnce; ++i) {
        x[i] = channels_of<wide, 4>(a, start + i * step, d);
        y[i] = channels_of<wide, 4>(b, start + i * step, d);
      }
      ARBG_UNROLL
      for (int i = 0; i < kAtOnce; ++i) {
        const int row = start + i * step, at = row * kPairs<kParts> + d / 2;
        if (row >= rows) continue;
        store_two(first, at, Two<Pair>{pair_of(x[i][0], x[i][1]), pair_of(x[i][2], x[i][3])});
        store_two(second, at, Two<Pair>{pair_of(y[i][0], y[i][1]), pair_of(y[i][2], y[i][3])});
      }
    }
  }
};

// Of own rows with 16 met ones: sums of met rows 0 ... 7, then of 8 ... 15. Element [half][i] is of
// own row lane_row() + i / 2 * 8 and met row met_of(half, i).
using Dots = float[2][4];
__device__ inline int met_of(int half, int i) { return half * 8 + lane_column() + i % 2; }

template <int kParts>
__device__ void dot_products(Dots& dots, const OwnRows<kParts>& own, const Shared<Pair>& met,
                             int first) {
  const int row = first + this_lane() / kSide * 8 + this_lane() % 8,
            at = row * kPairs<kParts> + this_lane() / 8 % 2 * 4;
  for (auto& of_half : dots) {
    for (float& one : of_half) one = 0;
  }
  ARBG_UNROLL
  for (int step = 0; step < 2 * kParts; ++step) {
    const Four<Pair> b = load_matrices<false>(met, at + step * kSide / 2);
    multiply_add(dots[0], own[step], {b[0], b[1]});
    multiply_add(dots[1], own[step], {b[2], b[3]});
  }
}

// The same numbers, rounded, as a first operand.
__device__ inline Four<Pair> weights_of(const Dots& x) {
  return {pair_of(x[0][0], x[0][1]), pair_of(x[0][2], x[0][3]), pair_of(x[1][0], x[1][1]),
          pair_of(x[1][2], x[1][3])};
}

// Own rows, eight channels after the other.
template <int kParts>
using OwnSums = float[4 * kParts][4];

// Each of the kCount sums += its weights times the 16 met rows from `first` on.
template <int kParts, int kCount>
__device__ void add_weighted(OwnSums<kParts> (&sums)[kCount], const Four<Pair> (&weights)[kCount],
                             const Shared<Pair>& met, int first) {
  const int at = (first + this_lane() % kSide) * kPairs<kParts> + this_lane() / kSide * 4;
  ARBG_UNROLL
  for (int step = 0; step < 2 * kParts; ++step) {
    const Four<Pair> b = load_matrices<true>(met, at + step * kSide / 2);
    ARBG_UNROLL
    for (int i = 0; i < kCount; ++i) {
      multiply_add(sums[i][2 * step], weights[i], {b[0], b[1]});
      multiply_add(sums[i][2 * step + 1], weights[i], {b[2], b[3]});
    }
  }
}

// The warp's rows from `first` on, each times its factor of two. `to` is fresh, so it begins at 16
// bytes.
template <int kParts>
__device__ void store(const Written& to, const Block& block, std::int64_t first, const Attention& x,
                      const OwnSums<kParts>& sums, const float (&factors)[2]) {
  ARBG_UNROLL
  for (int i = 0; i < 2; ++i) {
    const std::int64_t row = first + lane_row() + i * 8;
    if (row >= block.end) continue;
    const std::int64_t start = (block.b * to.count + row) * to.stride + block.h * x.D;
    ARBG_UNROLL
    for (int part = 0; part < 4 * kParts; ++part) {
      const int d = part * 8 + lane_column();
      const Two<float> y{sums[part][2 * i] * factors[i], sums[part][2 * i + 1] * factors[i]};
      if (d < x.D && to.rounded.size() > 0) {
        to.rounded[(start + d) / 2] = pair_of(y[0], y[1]);
        continue;
      }
      if (x.by_fours && d < x.D) store_two(to.full, start + d, y);
      for (int n = 0; n < 2; ++n) {
        if (!x.by_fours && d + n < x.D) to.full[start + d + n] = y[n];
      }
    }
  }
}

}  // namespace arbg::tensor::cuda
