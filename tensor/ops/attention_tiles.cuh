// What the kernels of attention share: tiles of rows, dot products of tiles, sums weighted by them.
//
// A warp owns rows, queries or keys, and meets those of the other kind 32 at a time. Eight lanes, a
// ring, share kOwn = 4 or 8 own rows, so a warp has 16 or 32. For dot products a lane has its own
// rows and every eighth of the 32 met ones: kOwn x 4 sums. For weighted sums it has its own rows
// and four channels of every 32, of which there are kParts. Both add in the order of channels and
// of rows, whatever kOwn. A product that is added to something is written as fmaf(), and the
// compiler fuses no other (--fmad=false of the three files that compute in float32), so that these
// round alike.
//
// Shared memory gives an SM 128 bytes a cycle, which is one float32 multiplication for each byte
// that its lanes read. Dot products read 16 (kOwn + 4) bytes for 16 kOwn of them, weighted sums
// 16 (kOwn + 4 kParts) for 16 kOwn kParts:
//
//   multiplications a byte       | kOwn 4 | kOwn 8
//   dot products                 |   0.50 |   0.67
//   weighted sums,  D <= 32      |   0.50 |   0.67
//                   D <= 64      |   0.67 |   1.00
//                   D <= 128     |   0.80 |   1.33
#pragma once

#include <algorithm>
#include <cmath>

#include "tensor/ops/kernel.cuh"

namespace arbg::tensor::cuda {

constexpr int kRing = 8;  // lanes
constexpr int kRings = kWarp / kRing;
constexpr int kMet = 4;              // met rows of a lane
constexpr int kTile = kMet * kRing;  // and of a warp
constexpr int kMostChannels = 128;
// Numbers between two rows of weights: the rows of a warp's rings begin in different banks.
constexpr int kWeightPitch = kTile + kRing;

// Numbers between two rows of D channels: the next 32, and four, for the same reason.
__host__ __device__ constexpr int pitch_of(int D) { return (D + kWarp - 1) / kWarp * kWarp + 4; }

// Rows of a tensor [B, count, ...], one a token, `stride` numbers apart.
template <class T>
struct Tokens {
  Span<T> numbers;
  std::int64_t count, stride;
};

// What a launch is about. `counts`: how many keys there are, for each b; none if causal.
struct Attention {
  Tokens<const float> q, k, v;
  Span<const std::int32_t> counts;
  std::int64_t H;
  int D;
  bool by_fours;  // channels may be read four at a time
  float scale;
};

// The part of one head that a block owns: its rows first ... end - 1, of a tensor of `count`.
struct Block {
  std::int64_t head, b, h;  // head = b H + h
  std::int64_t first, end;
  bool causal;
  std::int64_t keys;  // that there are

  __device__ std::int64_t keys_of(std::int64_t query) const { return causal ? query + 1 : keys; }
  __device__ std::int64_t first_query_of(std::int64_t key) const {
    constexpr std::int64_t kNone = std::int64_t{1} << 62;
    return causal ? key : key < keys ? 0 : kNone;
  }
};

// Own rows of this block, and the first of them that is this warp's.
template <int kOwn>
__device__ int rows_of_block() {
  return block_threads() / kWarp * kOwn * kRings;
}
template <int kOwn>
__device__ int rows_before() {
  return this_warp() * kOwn * kRings;
}

template <int kOwn>
__device__ Block this_block(const Attention& x, std::int64_t count) {
  const std::int64_t rows = rows_of_block<kOwn>(), parts = divided_up(count, rows),
                     head = blockIdx.x / parts, b = head / x.H, first = blockIdx.x % parts * rows;
  const bool causal = x.counts.size() == 0;
  std::int64_t keys = x.k.count;
  if (!causal) keys = x.counts[b];
  return {head, b, head % x.H, first, first + rows < count ? first + rows : count, causal, keys};
}

// Blocks that own all rows of `heads` heads, of `count` tokens each, with `arrays` of own rows, as
// many of weights, and two tiles of met rows. As many warps as share the rows of a head evenly.
template <int kOwn>
Launch blocks_of_rows(const Attention& x, std::int64_t heads, std::int64_t count, int arrays) {
  constexpr std::int64_t kMostWarps = 16 / kOwn, kRows = kOwn * kRings;
  if (heads * count == 0) return {0, kWarp};
  const std::int64_t parts = divided_up(count, kRows),
                     warps = divided_up(parts, divided_up(parts, kMostWarps)), rows = warps * kRows;
  const std::int64_t floats =
      arrays * rows * (pitch_of(x.D) + kWeightPitch) + 2 * kTile * pitch_of(x.D);
  return {heads * divided_up(count, rows), warps * kWarp,
          static_cast<std::size_t>(floats) * sizeof(float)};
}

// f's instance for heads of D channels: f<1> for up to 32 of them, ... f<4> for up to 128.
#define ARBG_FOR_CHANNELS(D, f) ((D) <= 32 ? f<1> : (D) <= 64 ? f<2> : (D) <= 96 ? f<3> : f<4>)

// One of the three parts of qkv [B, T, 3C]; all of x [B, T, C].
template <class T, class Of>
Tokens<T> part_of(Of& qkv, int part) {
  const Span<T> all = numbers<float>(qkv);
  return {all.size() > 0 ? all + part * qkv.extent(2) / 3 : all, qkv.extent(1), qkv.extent(2)};
}
template <class T, class Of>
Tokens<T> all_of(Of& x) {
  return {numbers<float>(x), x.extent(1), x.extent(2)};
}

inline int checked_channels(const char* operation, std::int64_t C, int heads) {
  const std::int64_t D = C / heads;
  require(D <= kMostChannels, operation, ": expected heads of at most ", kMostChannels,
          " channels on cuda, found ", D, "; use more heads or the backend cpu");
  return static_cast<int>(D);
}

// Whether rows of heads of D channels begin at multiples of 16 bytes.
inline bool are_fours(int D, std::initializer_list<const Tensor*> tensors) {
  return D % 4 == 0 && std::all_of(tensors.begin(), tensors.end(), [](const Tensor* x) {
           return !x || numbers<float>(*x).begins_at(kFourBytes);
         });
}

// What causal_attention() and cross_attention() are given; dy of their backward.
inline Attention causal(const char* operation, const Tensor& qkv, int heads,
                        const Tensor* dy = nullptr) {
  const int D = checked_channels(operation, qkv.extent(2) / 3, heads);
  return {part_of<const float>(qkv, 0),
          part_of<const float>(qkv, 1),
          part_of<const float>(qkv, 2),
          {nullptr, 0},
          heads,
          D,
          are_fours(D, {&qkv, dy}),
          1.0F / std::sqrt(static_cast<float>(D))};
}
inline Attention cross(const char* operation, const Tensor& q, const Tensor& k, const Tensor& v,
                       const Tensor& count, int heads, const Tensor* dy = nullptr) {
  const int D = checked_channels(operation, q.extent(2), heads);
  return {all_of<const float>(q),
          all_of<const float>(k),
          all_of<const float>(v),
          numbers<std::int32_t>(count),
          heads,
          D,
          are_fours(D, {&q, &k, &v, dy}),
          1.0F / std::sqrt(static_cast<float>(D))};
}

// This lane's rows of its warp, met rows and channels.
__device__ inline int own_row(int i) { return i * kRings + this_lane() / kRing; }
__device__ inline int met_row(int j) { return j * kRing + this_lane() % kRing; }
__device__ inline int channel(int part) { return part * kWarp + this_lane() % kRing * 4; }

// `count` rows of D channels, `stride` numbers apart.
template <class T>
struct Rows {
  Span<T> numbers;
  std::int64_t first, stride, count;
  int D;
  bool by_fours;
};

// Those of the block's head, from the row `first` on; there are `end`.
__device__ inline Rows<const float> rows_of(const Tokens<const float>& tokens, const Block& block,
                                            std::int64_t first, std::int64_t end,
                                            const Attention& x) {
  const std::int64_t start = (block.b * tokens.count + first) * tokens.stride + block.h * x.D;
  return {tokens.numbers, start, tokens.stride, end - first, x.D, x.by_fours};
}

// Starts to bring `rows` rows, zeros in place of those that are not there and of channels behind D;
// nothing if none is there.
template <class T>
__device__ void fetch(const Shared<float>& to, int rows, const Rows<T>& from) {
  const int pitch = pitch_of(from.D);
  for (int row = this_thread() / kRing; row < rows && from.count > 0;
       row += block_threads() / kRing) {
    for (int d = this_lane() % kRing * 4; d < pitch - 4; d += kWarp) {
      const std::int64_t at = from.first + row * from.stride + d;
      if (row < from.count && from.by_fours && d < from.D) {
        copy_four_async(to, row * pitch + d, from.numbers, at);
        continue;
      }
      for (int e = 0; e < 4; ++e) {
        if (row < from.count && d + e < from.D) {
          copy_async(&to[row * pitch + d + e], &from.numbers[at + e]);
        } else {
          to[row * pitch + d + e] = 0.0F;
        }
      }
    }
  }
  commit_copies();
}

template <int kOwn>
using Pairs = float[kOwn][kMet];  // of own and met rows

// All dot products of this lane's own rows, of the warp's, and met ones.
template <int kParts, int kOwn>
__device__ void dot_products(Pairs<kOwn>& dot, const Shared<float>& own, const Shared<float>& met,
                             int D) {
  constexpr int kPitch = pitch_of(kParts * kWarp);
  for (auto& of_row : dot) {
    for (float& one : of_row) one = 0;
  }
  for (int d = 0; d < D; d += 4) {
    Four<float> a[kOwn], b[kMet];
    for (int i = 0; i < kOwn; ++i) a[i] = load_four(own, own_row(i) * kPitch + d);
    for (int j = 0; j < kMet; ++j) b[j] = load_four(met, met_row(j) * kPitch + d);
    for (int e = 0; e < 4; ++e) {
      for (int i = 0; i < kOwn; ++i) {
        for (int j = 0; j < kMet; ++j) dot[i][j] = fmaf(a[i][e], b[j][e], dot[i][j]);
      }
    }
  }
}

// Which rows of a tile an own row sees: from ... to - 1.
struct Seen {
  int from, to;
  __device__ bool has(int row) const { return from <= row && row < to; }
};

__device__ inline int at_most_a_tile(std::int64_t rows) {
  return rows < 0 ? 0 : rows < kTile ? static_cast<int>(rows) : kTile;
}

// For each own row of this lane, its channels.
template <int kOwn, int kParts>
struct Sums {
  float of[kOwn][kParts][4] = {};

  __device__ void shrink(int i, float by) {
    for (auto& part : of[i]) {
      for (float& one : part) one *= by;
    }
  }
  // Row i += factor * row j.
  __device__ void add_row(int i, float factor, int j) {
    for (int part = 0; part < kParts; ++part) {
      for (int n = 0; n < 4; ++n) of[i][part][n] = fmaf(factor, of[j][part][n], of[i][part][n]);
    }
  }

  // += sum_s weight_s met_s over the rows s that each own row sees; with `all` these are all.
  template <bool all>
  __device__ void add(const Shared<float>& weights, const Shared<float>& met,
                      const Seen (&seen)[kOwn]) {
    constexpr int kPitch = pitch_of(kParts * kWarp);
    for (int s = 0; s < kTile; s += 4) {
      Four<float> weight[kOwn];
      for (int i = 0; i < kOwn; ++i) weight[i] = load_four(weights, own_row(i) * kWeightPitch + s);
      ARBG_UNROLL
      for (int e = 0; e < 4; ++e) {
        for (int part = 0; part < kParts; ++part) {
          const Four<float> x = load_four(met, (s + e) * kPitch + channel(part));
          for (int i = 0; i < kOwn; ++i) {
            if (!all && !seen[i].has(s + e)) continue;  // 0 times NaN would be NaN
            for (int n = 0; n < 4; ++n) {
              of[i][part][n] = fmaf(weight[i][e], x[n], of[i][part][n]);
            }
          }
        }
      }
    }
  }
  __device__ void add(const Shared<float>& weights, const Shared<float>& met,
                      const Seen (&seen)[kOwn], bool all) {
    if (all) {
      add<true>(weights, met, seen);
    } else {
      add<false>(weights, met, seen);
    }
  }
};

template <int kOwn>
__device__ void set_weights(const Shared<float>& weights, const Pairs<kOwn>& values) {
  for (int i = 0; i < kOwn; ++i) {
    for (int j = 0; j < kMet; ++j) weights[own_row(i) * kWeightPitch + met_row(j)] = values[i][j];
  }
}

// Row `row` of the head, its channels of this lane. `to` is fresh, so it begins at 16 bytes.
template <int kParts>
__device__ void store(const Tokens<float>& to, const Block& block, std::int64_t row,
                      const Attention& x, const float (&of)[kParts][4], float factor) {
  const std::int64_t start = (block.b * to.count + row) * to.stride + block.h * x.D;
  ARBG_UNROLL
  for (int part = 0; part < kParts; ++part) {
    const int d = channel(part);
    Four<float> y;
    for (int n = 0; n < 4; ++n) y[n] = of[part][n] * factor;
    if (x.by_fours && d < x.D) store_four(to.numbers, start + d, y);
    for (int n = 0; n < 4; ++n) {
      if (!x.by_fours && d + n < x.D) to.numbers[start + d + n] = y[n];
    }
  }
}

// Over the lanes of a ring, the same bits in each of them.
__device__ inline float ring_sum(float value) {
  for (int lanes = kRing / 2; lanes > 0; lanes /= 2) {
    value += __shfl_xor_sync(kAllLanes, value, lanes);
  }
  return value;
}
__device__ inline float lanes_max(float value, int lanes) {
  for (lanes /= 2; lanes > 0; lanes /= 2) {
    value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, lanes));
  }
  return value;
}

// sum_s exp(scale (dot_s - largest)) of the keys s that one query has met. Its parts, one a lane of
// the ring, are of every eighth key.
struct Softmax {
  float largest = -INFINITY, part = 0;

  // Before the weights of a tile, whose largest dot product is `most`: by what to multiply all that
  // was summed so far.
  __device__ float meet(float most, float scale) {
    const float before = largest;
    largest = fmaxf(largest, most);
    return expf((before - largest) * scale);
  }
  __device__ float weight(float dot, float scale) const { return expf((dot - largest) * scale); }
  // The weights of this lane's keys of the tile.
  __device__ void add(float shrunk, const float (&weights)[kMet]) {
    part = fmaf(part, shrunk, weights[0]);
    for (int j = 1; j < kMet; ++j) part += weights[j];
  }
};

}  // namespace arbg::tensor::cuda
