// Counter-based random numbers: Philox4x32-10, keyed by (seed, stream), indexed by a counter.
//
// A number depends on (seed, stream, index) alone, so the same seed gives the same numbers for any
// thread count, batch split or device, and a resumed run needs no saved generator state.
// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace arbg {

class Random {
 public:
  // `stream` separates independent uses of one seed; make it with stream_id(NAME, k), NAME
  // one of streams.h.
  Random(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  // Four independent uniform 32-bit words.
  std::array<std::uint32_t, 4> block(std::uint64_t index) const;

  // Uniform on the open interval (0, 1), a multiple of 2^-53 plus 2^-54: never 0, never 1.
  double uniform(std::uint64_t index) const;

  // Two independent standard normals (Box-Muller).
  std::array<double, 2> normal_pair(std::uint64_t index) const;

  // Uniform on {0, ..., count-1}; the bias is below count * 2^-53.
  std::int64_t below(std::int64_t count, std::uint64_t index) const;

  std::uint64_t seed() const { return seed_; }
  std::uint64_t stream() const { return stream_; }

 private:
  std::uint64_t seed_, stream_;
};

// A stable 64-bit number for a named purpose (FNV-1a of the name, mixed with k).
std::uint64_t stream_id(std::string_view purpose, std::uint64_t k = 0);

}  // namespace arbg
