#include "tensor/gemm/tiles_bf16.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "tensor/base/simd.h"

#if defined(__x86_64__) && defined(__linux__)
#define ARBG_AMX
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace arbg::tensor {
namespace {

using Vector = Lanes<float>;
constexpr std::int64_t kVector = kLaneCount<float>;
using Pairs __attribute__((vector_size(kLaneBytes))) = std::uint32_t;

Vector even_of(const Pairs& pairs) { return std::bit_cast<Vector>(pairs << 16); }
Vector odd_of(const Pairs& pairs) { return std::bit_cast<Vector>(pairs & 0xffff0000u); }

// One tile of c.
void multiply_tile(const TilesTask& t, const std::uint32_t* a, const std::uint32_t* b, float* c) {
  for (std::int64_t row = 0; row < kTileSide; ++row) {
    for (std::int64_t column = 0; column < kTileSide; column += kVector) {
      float* place = c + row * t.c_stride + column;
      Vector sum = t.accumulate ? load_lanes(place) : Vector{};
      for (std::int64_t d = 0; d < t.depth_tiles; ++d) {
        const std::uint32_t* a_pair = a + d * t.row_tiles * kPairsOfTile + row * kTileSide;
        const std::uint32_t* b_pairs = b + d * t.column_tiles * kPairsOfTile + column;
        Vector even{}, odd{};
        for (std::int64_t k = 0; k < kTileSide; ++k) {
          Pairs b_pair;
          std::memcpy(&b_pair, b_pairs + k * kTileSide, sizeof b_pair);
          even += std::bit_cast<float>(a_pair[k] << 16) * even_of(b_pair);
          odd += std::bit_cast<float>(a_pair[k] & 0xffff0000u) * odd_of(b_pair);
        }
        sum += even + odd;
      }
      store_lanes<float>(place, sum);
    }
  }
}

void multiply_by_vectors(const TilesTask& t) {
  for (std::int64_t i = 0; i < t.row_tiles; ++i) {
    for (std::int64_t j = 0; j < t.column_tiles; ++j) {
      multiply_tile(t, t.a + i * kPairsOfTile, t.b + j * kPairsOfTile,
                    t.c + i * kTileSide * t.c_stride + j * kTileSide);
    }
  }
}

#ifdef ARBG_AMX

// The processor has tiles of bf16, the kernel saves them, and gives them to this process.
bool ask_for_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  constexpr unsigned kAmxBf16 = 1u << 22, kAmxTile = 1u << 24;
  if ((d & kAmxBf16) == 0 || (d & kAmxTile) == 0) return false;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM of Linux 5.16
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

#define ARBG_WITH_AMX __attribute__((target("amx-tile,amx-bf16")))

// All eight tile registers hold 16 rows of 64 bytes. A constant, as g++ 12 drops stores to a local
// one: its intrinsic is said to read a pointer's worth.
struct TileShapes {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t bytes_of_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileShapes) == 64 && kTileSide == 16);
alignas(64) constexpr TileShapes kTileShapes;

ARBG_WITH_AMX void take_tiles() { _tile_loadconfig(&kTileShapes); }
ARBG_WITH_AMX void release_tiles() { _tile_release(); }

// Registers: 0 to 3 c, 4 and 5 rows of a, 6 and 7 columns of b.
template <int R, int C>
ARBG_WITH_AMX void multiply_by_amx(const TilesTask& t) {
  // g++ 12 does not say that its tile loads read memory: what was packed must be written by now.
  __asm__ volatile("" ::: "memory");
  constexpr int kRowBytes = 64;
  const auto stride = static_cast<long>(sizeof(float)) * t.c_stride;
  float *c = t.c, *below = t.c + kTileSide * t.c_stride;
  _tile_zero(0);
  if constexpr (C > 1) _tile_zero(1);
  if constexpr (R > 1) _tile_zero(2);
  if constexpr (R > 1 && C > 1) _tile_zero(3);
  if (t.accumulate) {
    _tile_loadd(0, c, stride);
    if constexpr (C > 1) _tile_loadd(1, c + kTileSide, stride);
    if constexpr (R > 1) _tile_loadd(2, below, stride);
    if constexpr (R > 1 && C > 1) _tile_loadd(3, below + kTileSide, stride);
  }
  const std::uint32_t *a = t.a, *b = t.b;
  for (std::int64_t d = 0; d < t.depth_tiles; ++d) {
    _tile_loadd(4, a, kRowBytes);
    _tile_loadd(6, b, kRowBytes);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (C > 1) {
      _tile_loadd(7, b + kPairsOfTile, kRowBytes);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (R > 1) {
      _tile_loadd(5, a + kPairsOfTile, kRowBytes);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (C > 1) _tile_dpbf16ps(3, 5, 7);
    }
    a += R * kPairsOfTile;
    b += C * kPairsOfTile;
  }
  _tile_stored(0, c, stride);
  if constexpr (C > 1) _tile_stored(1, c + kTileSide, stride);
  if constexpr (R > 1) _tile_stored(2, below, stride);
  if constexpr (R > 1 && C > 1) _tile_stored(3, below + kTileSide, stride);
}

#else

bool ask_for_amx() { return false; }
void take_tiles() {}
void release_tiles() {}
template <int R, int C>
void multiply_by_amx(const TilesTask& task) {
  multiply_by_vectors(task);
}

#endif

}  // namespace

bool has_amx() {
  static const bool answer = ask_for_amx();
  return answer;
}

TileMultiplier::TileMultiplier(bool amx) : amx_(amx) {
  if (amx_) take_tiles();
}
TileMultiplier::~TileMultiplier() {
  if (amx_) release_tiles();
}

void TileMultiplier::operator()(const TilesTask& task) const {
  if (!amx_) return multiply_by_vectors(task);
  if (task.row_tiles == 1)
    task.column_tiles == 1 ? multiply_by_amx<1, 1>(task) : multiply_by_amx<1, 2>(task);
  else
    task.column_tiles == 1 ? multiply_by_amx<2, 1>(task) : multiply_by_amx<2, 2>(task);
}

}  // namespace arbg::tensor
