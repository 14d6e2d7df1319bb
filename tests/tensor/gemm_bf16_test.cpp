// Products of bf16 on the CPU: of operands rounded to nearest, by AMX and by vectors to the same
// bits.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "tensor/base/random.h"
#include "tensor/base/threads.h"
#include "tensor/gemm/gemm_bf16_cpu.h"
#include "tensor/gemm/tiles_bf16.h"

namespace arbg::tensor {
namespace {

struct Sizes {
  std::int64_t M, N, K;
};

// Around every edge of the scheme: tiles of 16 x 16 and 32 of k, panels of 32, blocks of 512 x 512,
// tasks of 128 rows.
constexpr Sizes kSizes[] = {{1, 1, 1},     {16, 16, 32}, {17, 16, 33},   {15, 31, 31},
                            {33, 32, 64},  {32, 33, 5},  {40, 49, 96},   {3, 511, 3},
                            {48, 512, 40}, {6, 513, 12}, {129, 20, 513}, {300, 64, 1025},
                            {0, 3, 4},     {3, 0, 4}};

std::vector<float> random_floats(std::int64_t count, std::uint64_t stream) {
  const Random random(3, stream);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(random.uniform(i) - 0.5);
  return values;
}

// To 8 significant bits, ties to even.
double in_bf16(float x) {
  int exponent = 0;
  const double fraction = std::frexp(static_cast<double>(x), &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8);
}

// c has two rows of sentinels before and behind.
constexpr float kSentinel = 777.0f;

std::vector<float> checked_product(const Sizes& size, bool a_transposed, bool b_transposed,
                                   bool accumulate) {
  const auto [M, N, K] = size;
  const auto a = random_floats(M * K, 1), b = random_floats(K * N, 2);
  const MatrixView A = a_transposed ? row_major(a.data(), M).transposed() : row_major(a.data(), K);
  const MatrixView B = b_transposed ? row_major(b.data(), K).transposed() : row_major(b.data(), N);
  std::vector<float> c(static_cast<std::size_t>((M + 4) * N), kSentinel);
  float* inside = c.data() + 2 * N;
  std::fill_n(inside, M * N, accumulate ? 0.5f : NAN);
  gemm_bf16(M, N, K, A, B, inside, accumulate);
  for (std::int64_t i = 0; i < 2 * N; ++i) {
    REQUIRE(c[static_cast<std::size_t>(i)] == kSentinel);
    REQUIRE(inside[M * N + i] == kSentinel);
  }
  for (std::int64_t m = 0; m < M; ++m) {
    for (std::int64_t n = 0; n < N; ++n) {
      double sum = accumulate ? 0.5 : 0.0;
      for (std::int64_t k = 0; k < K; ++k) sum += in_bf16(*A.at(m, k)) * in_bf16(*B.at(k, n));
      REQUIRE(std::abs(static_cast<double>(inside[m * N + n]) - sum) <=
              1e-6 * std::sqrt(static_cast<double>(K)));
    }
  }
  std::vector<float> again(static_cast<std::size_t>(M * N), accumulate ? 0.5f : NAN);
  gemm_packed_bf16(M, N, K, A, pack_matrix_bf16(N, K, B), again.data(), accumulate);
  REQUIRE(again == std::vector<float>(inside, inside + M * N));
  return again;
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
  TEST_CASE("bf16: products of any sizes and strides are right, packed too, and write no more") {
    for (const Sizes& size : kSizes) {
      CAPTURE(size.M);
      CAPTURE(size.N);
      CAPTURE(size.K);
      for (const bool accumulate : {false, true}) {
        checked_product(size, false, false, accumulate);
        checked_product(size, false, true, accumulate);
        checked_product(size, true, false, accumulate);
        checked_product(size, true, true, accumulate);
      }
    }
  }

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

  TEST_CASE("bf16: a product over no terms is zero") {
    std::vector<float> c(6, 5.0f);
    gemm_bf16(2, 3, 0, row_major(nullptr, 0), row_major(nullptr, 3), c.data(), true);
    CHECK(c == std::vector<float>(6, 5.0f));
    gemm_bf16(2, 3, 0, row_major(nullptr, 0), row_major(nullptr, 3), c.data(), false);
    CHECK(c == std::vector<float>(6, 0.0f));
  }

  TEST_CASE("bf16: the same bits for any thread count and for a row alone") {
    const Sizes size{600, 130, 600};
    const int threads = thread_count();
    set_thread_count(1);
    const auto serial = checked_product(size, false, true, false);
    set_thread_count(3);
    CHECK(checked_product(size, false, true, false) == serial);
    set_thread_count(threads);
    const auto first = checked_product({1, size.N, size.K}, false, true, false);
    CHECK(first == std::vector<float>(serial.begin(), serial.begin() + size.N));
  }

  TEST_CASE("bf16: NaN and infinity reach the elements they enter, and no others") {
    std::vector<float> a(20 * 40, 1.0f), b(40 * 20, 1.0f), c(20 * 20);
    a[3 * 40 + 7] = NAN;
    b[2 * 20 + 5] = INFINITY;
    gemm_bf16(20, 20, 40, row_major(a.data(), 40), row_major(b.data(), 20), c.data(), false);
    for (std::int64_t m = 0; m < 20; ++m) {
      for (std::int64_t n = 0; n < 20; ++n) {
        const float value = c[static_cast<std::size_t>(m * 20 + n)];
        if (m == 3)
          CHECK(std::isnan(value));
        else if (n == 5)
          CHECK(std::isinf(value));
        else
          CHECK(value == 40.0f);
      }
    }
  }
}

}  // namespace arbg::tensor
