// Loops over long rows of float32, a vector at a time: for the CPU implementations of the
// operations.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "tensor/base/simd.h"
#include "tensor/base/threads.h"

namespace arbg::tensor {

inline constexpr std::int64_t kVector = kLaneCount<float>;

// The first `count` (at least 1) numbers; the other lanes hold `rest`, or are not written.
[[gnu::always_inline]] inline Lanes<float> load_some(const float* from, std::int64_t count,
                                                     float rest = 0.0f) {
  if (count >= kVector) return load_lanes(from);
  float lanes[kVector];
  std::fill_n(lanes, kVector, rest);
  std::copy_n(from, count, lanes);
  return load_lanes(lanes);
}
inline void store_some(float* to, const Lanes<float>& v, std::int64_t count) {
  if (count >= kVector) return store_lanes<float>(to, v);
  float lanes[kVector];
  store_lanes<float>(lanes, v);
  std::copy_n(lanes, count, to);
}

// body(first, last) over pieces of 0 ... count, in parallel when the whole is worth it. `work` is
// the number of numbers touched for each; a piece covers about 32768 of them, whatever the thread
// count.
template <class Body>
void for_pieces(std::int64_t count, std::int64_t work, const Body& body) {
  const std::int64_t piece = std::max<std::int64_t>(1, 32768 / std::max<std::int64_t>(1, work));
  if (count <= 2 * piece) {
    if (count > 0) body(std::int64_t{0}, count);
    return;
  }
  parallel_for((count + piece - 1) / piece,
               [&](std::int64_t i) { body(i * piece, std::min(count, (i + 1) * piece)); });
}

// out[j][i] = f(in[0][i], in[1][i], ...)[j] for i = 0 ... count-1; f works on Lanes<float>.
template <std::size_t I, std::size_t O, class F>
void map_lanes(std::int64_t count, const std::array<const float*, I>& in,
               const std::array<float*, O>& out, const F& f) {
  for_pieces(count, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; i += kVector) {
      const std::int64_t some = std::min(kVector, last - i);
      std::array<Lanes<float>, I> x;
      for (std::size_t j = 0; j < I; ++j) x[j] = load_some(in[j] + i, some);
      const std::array<Lanes<float>, O> y = f(x);
      for (std::size_t j = 0; j < O; ++j) store_some(out[j] + i, y[j], some);
    }
  });
}

}  // namespace arbg::tensor
