// The innermost part of products of bf16 on the CPU: a tile of c += a b, tiles of a and b at a
// time.
//
// A tile of a is 16 rows of 32 numbers (k), one of b 32 rows (k) of 16; both are 256 pairs of bf16
// in 32 bits, the number of even k in the low half: a's pairs by [row][k / 2], b's by [k /
// 2][column]. For each tile of 32 k, the sum of even k and the sum of odd k run upwards in float32,
// and their sum is added to c. So computes TDPBF16PS of AMX (Intel, Software Developer's Manual,
// volume 2), which is used where the processor has it and the kernel lets us; everywhere else
// vectors do, to the same bits but for numbers below 1.2e-38, which AMX takes as zero.
#pragma once

#include <cstdint>

namespace arbg::tensor {

inline constexpr std::int64_t kTileSide = 16, kTileDepth = 32;
inline constexpr std::int64_t kPairsOfTile = kTileSide * kTileDepth / 2;

// Up to 2 x 2 tiles of c, [16 row_tiles, 16 column_tiles] with rows c_stride apart. Tiles of a and
// b lie one behind the other: for each 32 of k those of all rows (or columns).
struct TilesTask {
  std::int64_t row_tiles, column_tiles, depth_tiles;
  const std::uint32_t *a, *b;
  float* c;
  std::int64_t c_stride;
  bool accumulate;  // otherwise c is written, whatever is in it
};

// Whether products of bf16 are fast here: AMX.
bool has_amx();

// Tiles may be multiplied in this thread as long as one of these lives. `amx`: has_amx() says so.
class TileMultiplier {
 public:
  explicit TileMultiplier(bool amx = has_amx());
  ~TileMultiplier();
  TileMultiplier(const TileMultiplier&) = delete;
  TileMultiplier& operator=(const TileMultiplier&) = delete;

  void operator()(const TilesTask& task) const;

 private:
  bool amx_;
};

}  // namespace arbg::tensor
