// Four numbers a thread: an access moves 16 bytes where rows and tensors begin at multiples of 16
// bytes, and one number elsewhere. Which thread has which number is the same, and so are all sums.
//
// Four numbers a thread also share what one costs beside its bytes: the division that finds its
// row.
#pragma once

#include <cmath>
#include <cstring>

#include "tensor/ops/kernel.cuh"

namespace arbg::tensor::cuda {

// Whether all begin where accesses of 16 bytes may. So do their rows if 4 divides their length.
template <class... Spans>
bool wide(const Spans&... spans) {
  return (spans.begins_at(kFourBytes) && ...);
}

// x[at] and what follows; 0 from x[end] on.
template <class T>
__device__ Four<std::remove_const_t<T>> four_of(const Span<T>& x, std::int64_t at, std::int64_t end,
                                                bool wide) {
  if (wide && at + 4 <= end) return load_four(x, at);
  Four<std::remove_const_t<T>> four{};
  for (int i = 0; i < 4; ++i) {
    if (at + i < end) four[i] = x[at + i];
  }
  return four;
}

// To x[at] and what follows, up to x[end].
template <class T>
__device__ void set_four(const Span<T>& x, std::int64_t at, std::int64_t end, const Four<T>& four,
                         bool wide) {
  if (wide && at + 4 <= end) return store_four(x, at, four);
  for (int i = 0; i < 4; ++i) {
    if (at + i < end) x[at + i] = four[i];
  }
}

// Four numbers as products read them, 8 bytes.
struct alignas(8) RoundedFour {
  BFloat16 of[4];
};

// The upper half, to nearest, ties to even. NaN stays NaN: a bit of its upper half is set.
__device__ inline BFloat16 rounded(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const std::uint32_t half = 0x7FFFU + (bits >> 16U & 1U);
  const std::uint32_t upper = std::isnan(x) ? bits >> 16U | 0x40U : (bits + half) >> 16U;
  return {static_cast<std::uint16_t>(upper)};
}

// The same as products read them; `at` and `end` are multiples of four.
__device__ inline void set_four(const Span<RoundedFour>& x, std::int64_t at, std::int64_t end,
                                const Four<float>& four, bool) {
  if (at >= end) return;
  RoundedFour to;
  for (int i = 0; i < 4; ++i) to.of[i] = rounded(four[i]);
  x[at / 4] = to;
}

// The numbers of a tensor that is bf16, four together.
inline Span<RoundedFour> rounded_fours(Tensor& x) {
  return {reinterpret_cast<RoundedFour*>(x.device_data<BFloat16>()), x.elements() / 4};
}

// Kernels with one thread for four numbers of one row, of rows of W.
inline Launch one_thread_a_four(std::int64_t rows, std::int64_t W) {
  return one_thread_each(rows * divided_up(W, 4));
}
struct Own {
  std::int64_t row, column;
};
__device__ inline Own own_four(std::int64_t W) {
  const std::int64_t fours = divided_up(W, 4), row = thread_number() / fours;
  return {row, (thread_number() - row * fours) * 4};
}

// out[j][i] = f(in[0][i], ..., in[I - 1][i], out[0][i], ..., out[kKept - 1][i])[j] for all i.
template <int N>
using Numbers = Several<float, N>;

template <int kKept, int I, int O, class To, class F>
__global__ void map_fours(Several<Span<To>, O> out, Several<Span<const float>, I> in,
                          std::int64_t end, bool wide, F f) {
  const std::int64_t at = 4 * thread_number();
  constexpr int kSeen = I + kKept;
  Several<Four<float>, kSeen> x;
  Several<Four<float>, O> y;
  for (int j = 0; j < I; ++j) x[j] = four_of(in[j], at, end, wide);
  if constexpr (kKept > 0) {
    for (int j = I; j < kSeen; ++j) x[j] = four_of(out[j - I], at, end, wide);
  }
  for (int i = 0; i < 4; ++i) {
    Numbers<kSeen> x_i;
    for (int j = 0; j < kSeen; ++j) x_i[j] = x[j][i];
    const Numbers<O> y_i = f(x_i);
    for (int j = 0; j < O; ++j) y[j][i] = y_i[j];
  }
  for (int j = 0; j < O; ++j) set_four(out[j], at, end, y[j], wide);
}

template <int kKept, int I, int O, class F>
void change_each(const Several<Span<float>, O>& out, const Several<Span<const float>, I>& in,
                 const F& f) {
  bool all_wide = true;
  for (const auto& one : out.of) all_wide = all_wide && wide(one);
  for (const auto& one : in.of) all_wide = all_wide && wide(one);
  launch(map_fours<kKept, I, O, float, F>, one_thread_a_four(1, out[0].size()), out, in,
         out[0].size(), all_wide, f);
}
template <int I, int O, class F>
void map_each(const Several<Span<float>, O>& out, const Several<Span<const float>, I>& in,
              const F& f) {
  change_each<0>(out, in, f);
}
// The same, written for products.
template <int I, int O, class F>
void map_each(const Several<Span<RoundedFour>, O>& out, const Several<Span<const float>, I>& in,
              const F& f) {
  bool all_wide = true;
  for (const auto& one : in.of) all_wide = all_wide && wide(one);
  launch(map_fours<0, I, O, RoundedFour, F>, one_thread_each(out[0].size()), out, in,
         4 * out[0].size(), all_wide, f);
}

// What map_each and change_each are given: the numbers of these tensors.
template <class... Tensors>
Several<Span<const float>, sizeof...(Tensors)> reads(const Tensors&... x) {
  return {{numbers<float>(x)...}};
}
template <class... Tensors>
Several<Span<float>, sizeof...(Tensors)> writes(Tensors&... x) {
  return {{numbers<float>(x)...}};
}
template <class... Tensors>
Several<Span<RoundedFour>, sizeof...(Tensors)> writes_rounded(Tensors&... x) {
  return {{rounded_fours(x)...}};
}

// One row of C numbers as the warp sees it that works on it: a lane has four of each 128. Those of
// the first kHeld times 128 stay in registers, the others are read whenever they are asked for.
constexpr int kWarpFours = 4 * kWarp;
constexpr int kFewHeld = 2, kManyHeld = 8;  // for rows of up to 256 and 1024 numbers

// Longer rows are read again whatever is held: few registers leave room for more warps.
inline bool holds_many(std::int64_t C) {
  return C > kFewHeld * kWarpFours && C <= kManyHeld * kWarpFours;
}

// f(part, c) for each four of the lane, c the first of them.
template <int kHeld, class F>
__device__ void each_four(std::int64_t C, const F& f) {
  for (int part = 0; part < kHeld; ++part) {
    const std::int64_t c = part * kWarpFours + 4 * this_lane();
    if (c < C) f(part, c);
  }
  for (std::int64_t c = kHeld * kWarpFours + 4 * this_lane(); c < C; c += kWarpFours) f(kHeld, c);
}

template <int kHeld>
class Row {
 public:
  __device__ Row(const Span<const float>& x, std::int64_t m, std::int64_t C, bool wide)
      : x_(x), first_(m * C), end_(first_ + C), wide_(wide) {
    for (int part = 0; part < kHeld; ++part) {
      held_[part] = read(part * kWarpFours + 4 * this_lane());
    }
  }
  __device__ Four<float> operator()(int part, std::int64_t c) const {
    return part < kHeld ? held_[part] : read(c);
  }

 private:
  __device__ Four<float> read(std::int64_t c) const { return four_of(x_, first_ + c, end_, wide_); }
  Span<const float> x_;
  std::int64_t first_, end_;
  bool wide_;
  Four<float> held_[kHeld];
};

}  // namespace arbg::tensor::cuda
