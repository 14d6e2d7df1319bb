// Products of bf16 on the CPU: of operands rounded to nearest, by AMX and by vectors to the same
// bits.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "tensor/base/random.h"
#include "tensor/gemm/gemm_bf16_cpu.h"
#include "tensor/gemm/tiles_bf16.h"

namespace arbg::tensor {
namespace {

std::vector<float> random_floats(std::int64_t count, std::uint64_t stream) {
  const Random random(3, stream);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(random.uniform(i) - 0.5);
  return values;
}

std::vector<std::uint32_t> random_pairs(std::int64_t tiles, std::uint64_t stream) {
  const auto numbers = random_floats(2 * tiles * kPairsOfTile, stream);
  std::vector<std::uint32_t> pairs;
  for (std::size_t i = 0; i < numbers.size(); i += 2) {
    pairs.push_back((std::bit_cast<std::uint32_t>(numbers[i]) >> 16) |
                    (std::bit_cast<std::uint32_t>(numbers[i + 1]) & 0xffff0000u));
  }
  return pairs;
}

float low(std::uint32_t pair) { return std::bit_cast<float>(pair << 16); }
float high(std::uint32_t pair) { return std::bit_cast<float>(pair & 0xffff0000u); }

// The header's sentence in the plainest words.
std::vector<float> tiles_by_the_book(const TilesTask& t, std::vector<float> c) {
  for (std::int64_t m = 0; m < t.row_tiles * kTileSide; ++m) {
    for (std::int64_t n = 0; n < t.column_tiles * kTileSide; ++n) {
      float sum = t.accumulate ? c[static_cast<std::size_t>(m * t.c_stride + n)] : 0.0f;
      for (std::int64_t d = 0; d < t.depth_tiles; ++d) {
        const std::int64_t a_tile = d * t.row_tiles + m / kTileSide;
        const std::int64_t b_tile = d * t.column_tiles + n / kTileSide;
        float even = 0, odd = 0;
        for (std::int64_t k = 0; k < kTileDepth / 2; ++k) {
          const std::uint32_t a = t.a[a_tile * kPairsOfTile + m % kTileSide * kTileSide + k];
          const std::uint32_t b = t.b[b_tile * kPairsOfTile + k * kTileSide + n % kTileSide];
          even += low(a) * low(b);  // of 16 significant bits: exact
          odd += high(a) * high(b);
        }
        sum += even + odd;
      }
      c[static_cast<std::size_t>(m * t.c_stride + n)] = sum;
    }
  }
  return c;
}

float alone(float x) {
  const float one = 1.0f;
  float y = NAN;
  gemm_bf16(1, 1, 1, row_major(&x, 1), row_major(&one, 1), &y, false);
  return y;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("bf16: AMX and vectors sum tiles as the header says, bit for bit") {
    MESSAGE("AMX: ", std::string(has_amx() ? "yes" : "not on this machine, vectors alone"));
    const auto a = random_pairs(2 * 3, 4), b = random_pairs(2 * 3, 5);
    constexpr std::int64_t kStride = 40;
    const auto before = random_floats(2 * kTileSide * kStride, 6);
    for (const std::int64_t rows : {1, 2}) {
      for (const std::int64_t columns : {1, 2}) {
        for (const bool accumulate : {false, true}) {
          auto by_vectors = before, by_amx = before;
          TilesTask task{rows, columns, 3, a.data(), b.data(), nullptr, kStride, accumulate};
          const auto expected = tiles_by_the_book(task, before);
          task.c = by_vectors.data();
          TileMultiplier{false}(task);
          CHECK(by_vectors == expected);
          if (!has_amx()) continue;
          task.c = by_amx.data();
          TileMultiplier{true}(task);
          CHECK(by_amx == expected);
        }
      }
    }
  }

  TEST_CASE("bf16: numbers are rounded to nearest, ties to even; infinity and NaN stay") {
    constexpr float kTie = 1.00390625f, kUlp = 0.0078125f, kFloat = 1.1920929e-7f;
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    CHECK(alone(kTie) == 1.0f);
    CHECK(alone(kTie + kUlp) == 1.0f + 2 * kUlp);
    CHECK(alone(-kTie) == -1.0f);
    CHECK(alone(kTie + kFloat) == 1.0f + kUlp);
    CHECK(alone(kTie - kFloat) == 1.0f);
    CHECK(alone(-kInfinity) == -kInfinity);
    CHECK(alone(std::numeric_limits<float>::max()) == kInfinity);
    CHECK(std::isnan(alone(NAN)));
    CHECK(std::isnan(alone(std::bit_cast<float>(0x7f800001u))));  // whose upper half is infinity
    CHECK(std::isnan(alone(std::bit_cast<float>(0xffffffffu))));
  }
}

}  // namespace arbg::tensor
