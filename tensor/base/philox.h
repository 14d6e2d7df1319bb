// The arithmetic of random.h, one for the host and for kernels: Philox4x32-10.
//
// block: the four 32-bit words of counter (index, stream) under the key seed. uniform: the first
// two of them as a number of the open interval (0, 1), a multiple of 2^-53 plus 2^-54. Source:
// Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace arbg::philox {

using Block = std::array<std::uint32_t, 4>;

constexpr std::uint32_t high_half(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }
constexpr std::uint32_t low_half(std::uint64_t x) { return static_cast<std::uint32_t>(x); }

constexpr Block block(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;
  std::uint32_t c0 = low_half(index), c1 = high_half(index);
  std::uint32_t c2 = low_half(stream), c3 = high_half(stream);
  std::uint32_t k0 = low_half(seed), k1 = high_half(seed);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = kMultiplier0 * c0, p1 = kMultiplier1 * c2;
    c0 = high_half(p1) ^ c1 ^ k0;
    c1 = low_half(p1);
    c2 = high_half(p0) ^ c3 ^ k1;
    c3 = low_half(p0);
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
  return {c0, c1, c2, c3};
}

constexpr double to_unit_interval(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits53 = ((std::uint64_t{high} << 32) | low) >> 11;
  return (static_cast<double>(bits53) + 0.5) * 0x1.0p-53;
}

constexpr double uniform(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
  const Block words = block(seed, stream, index);
  return to_unit_interval(words[0], words[1]);
}

// stream_id(purpose, k) of random.h in two steps: FNV-1a of the name, then of the bytes of k.
constexpr std::uint64_t kHashStart = 0xcbf29ce484222325u;
constexpr std::uint64_t hashed(std::uint64_t hash, std::uint64_t byte) {
  return (hash ^ byte) * 0x100000001b3u;
}
constexpr std::uint64_t purpose_of(std::string_view name) {
  std::uint64_t hash = kHashStart;
  for (const char c : name) hash = hashed(hash, static_cast<unsigned char>(c));
  return hash;
}
constexpr std::uint64_t stream_of(std::uint64_t purpose, std::uint64_t k) {
  for (int shift = 0; shift < 64; shift += 8) purpose = hashed(purpose, (k >> shift) & 0xff);
  return purpose;
}

}  // namespace arbg::philox
