// Philox in SIMD lanes: kLaneCount<float> streams of one seed advance side by side.
//
// Lane l of philox_lanes(seed, streams, index) holds the words of Random(seed, streams[l])'s
// block(index), bit for bit, so what is drawn does not depend on how work was put into lanes.
// Normals are float32 Box-Muller from 32-bit uniforms: the tails end at 6.8.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/base/simd.h"

namespace arbg {

using LaneWords __attribute__((vector_size(kLaneBytes))) = std::uint32_t;

struct LaneBlock {
  LaneWords word[4];
};

// The high and low halves of one 64-bit stream id a lane.
struct LaneStreams {
  LaneWords low, high;
  explicit LaneStreams(std::span<const std::uint64_t, kLaneCount<float>> streams) : low{}, high{} {
    for (int l = 0; l < kLaneCount<float>; ++l) {
      low[l] = static_cast<std::uint32_t>(streams[static_cast<std::size_t>(l)]);
      high[l] = static_cast<std::uint32_t>(streams[static_cast<std::size_t>(l)] >> 32);
    }
  }
};

// The 64-bit product of each word with a constant, as its high and low words: even and odd words
// apart, because the widest vector product is 64 bits.
inline void multiply_words(const LaneWords& words, std::uint32_t factor, LaneWords& high,
                           LaneWords& low) {
  using Wide __attribute__((vector_size(kLaneBytes))) = std::uint64_t;
  constexpr std::uint64_t kLow = 0xffffffffu;
  Wide pairs;
  std::memcpy(&pairs, &words, sizeof pairs);
  const Wide even = (pairs & kLow) * std::uint64_t{factor},
             odd = (pairs >> 32) * std::uint64_t{factor};
  const Wide highs = (even >> 32) | (odd & ~kLow), lows = (even & kLow) | (odd << 32);
  std::memcpy(&high, &highs, sizeof high);
  std::memcpy(&low, &lows, sizeof low);
}

inline LaneBlock philox_lanes(std::uint64_t seed, const LaneStreams& streams, std::uint64_t index) {
  LaneWords c0 = LaneWords{} + static_cast<std::uint32_t>(index);
  LaneWords c1 = LaneWords{} + static_cast<std::uint32_t>(index >> 32);
  LaneWords c2 = streams.low, c3 = streams.high;
  std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    LaneWords high0, low0, high1, low1;
    multiply_words(c0, 0xD2511F53u, high0, low0);
    multiply_words(c2, 0xCD9E8D57u, high1, low1);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

// Two independent standard normals a lane from two words a lane.
inline void normals_from_words(const LaneWords& first, const LaneWords& second, Lanes<float>& a,
                               Lanes<float>& b) {
  const Lanes<float> u = (__builtin_convertvector(first, Lanes<float>) + 0.5f) * 0x1.0p-32f;
  const Lanes<float> turns = __builtin_convertvector(second, Lanes<float>) * 0x1.0p-32f;
  const Lanes<float> radius = sqrt_lanes(-2.0f * log_lanes(u));
  sincos_turns(turns, b, a);
  a *= radius;
  b *= radius;
}

}  // namespace arbg
