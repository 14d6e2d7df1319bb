// Products of matrices on the CPU, in float32 and of operands rounded to bf16.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tensor/base/random.h"
#include "tensor/base/threads.h"
#include "tensor/gemm/gemm_bf16_cpu.h"

namespace arbg::tensor {
namespace {

struct Sizes {
  std::int64_t M, N, K;
};

// Around every edge of both schemes: tiles of 6 x 64 (6 x 16 without AVX-512) and of 16 x 16 x 32,
// blocks of 256 x 512 and 512 x 512, tasks of 96 and 128 rows.
constexpr Sizes kSizes[] = {
    {1, 1, 1},      {6, 64, 1},      {7, 65, 2},     {5, 63, 17},  {12, 16, 255},  {13, 170, 256},
    {11, 48, 257},  {3, 511, 3},     {100, 512, 40}, {6, 513, 12}, {97, 200, 513}, {2, 1025, 5},
    {16, 16, 32},   {17, 16, 33},    {15, 31, 31},   {33, 32, 64}, {32, 33, 5},    {40, 49, 96},
    {129, 20, 513}, {300, 64, 1025}, {0, 3, 4},      {3, 0, 4}};

double in_full(float x) { return static_cast<double>(x); }

// To 8 significant bits, ties to even.
double in_bf16(float x) {
  int exponent = 0;
  const double fraction = std::frexp(static_cast<double>(x), &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8);
}

struct Kind {
  const char* name;
  decltype(&gemm) multiply;
  double (*operand)(float);  // what is multiplied
};
constexpr Kind kKinds[] = {{"float32", &gemm, &in_full}, {"bf16", &gemm_bf16, &in_bf16}};

// The product by a b that was packed before.
std::vector<float> packed_product(const Kind& kind, const Sizes& size, const MatrixView& a,
                                  const MatrixView& b, std::vector<float> c, bool accumulate) {
  const auto [M, N, K] = size;
  if (kind.multiply == &gemm_bf16) {
    gemm_packed_bf16(M, N, K, a, pack_matrix_bf16(N, K, b), c.data(), accumulate);
  } else {
    std::vector<float> packed(static_cast<std::size_t>(packed_size(K, N)));
    pack_matrix(N, K, b, packed.data());
    gemm_packed(M, N, K, a, packed.data(), c.data(), accumulate);
  }
  return c;
}

std::vector<float> random_floats(std::int64_t count, std::uint64_t stream) {
  const Random random(3, stream);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(random.uniform(i) - 0.5);
  return values;
}

// c has two rows of sentinels before and behind.
constexpr float kSentinel = 777.0f;

std::vector<float> checked_product(const Kind& kind, const Sizes& size, bool a_transposed,
                                   bool b_transposed, bool accumulate) {
  const auto [M, N, K] = size;
  const auto a = random_floats(M * K, 1), b = random_floats(K * N, 2);
  const MatrixView A = a_transposed ? row_major(a.data(), M).transposed() : row_major(a.data(), K);
  const MatrixView B = b_transposed ? row_major(b.data(), K).transposed() : row_major(b.data(), N);
  std::vector<float> c(static_cast<std::size_t>((M + 4) * N), kSentinel);
  float* inside = c.data() + 2 * N;
  std::fill_n(inside, M * N, accumulate ? 0.5f : NAN);
  kind.multiply(M, N, K, A, B, inside, accumulate);
  for (std::int64_t i = 0; i < 2 * N; ++i) {
    REQUIRE(c[static_cast<std::size_t>(i)] == kSentinel);
    REQUIRE(inside[M * N + i] == kSentinel);
  }
  for (std::int64_t m = 0; m < M; ++m) {
    for (std::int64_t n = 0; n < N; ++n) {
      double sum = accumulate ? 0.5 : 0.0;
      for (std::int64_t k = 0; k < K; ++k)
        sum += kind.operand(*A.at(m, k)) * kind.operand(*B.at(k, n));
      REQUIRE(std::abs(static_cast<double>(inside[m * N + n]) - sum) <=
              1e-6 * std::sqrt(static_cast<double>(K)));
    }
  }
  std::vector<float> found(inside, inside + M * N);
  const std::vector<float> before(found.size(), accumulate ? 0.5f : NAN);
  REQUIRE(packed_product(kind, size, A, B, before, accumulate) == found);
  return found;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("products of any sizes and strides are right, packed too, and write nothing else") {
    for (const Kind& kind : kKinds) {
      for (const Sizes& size : kSizes) {
        CAPTURE(kind.name);
        CAPTURE(size.M);
        CAPTURE(size.N);
        CAPTURE(size.K);
        for (const bool accumulate : {false, true}) {
          checked_product(kind, size, false, false, accumulate);
          checked_product(kind, size, false, true, accumulate);
          checked_product(kind, size, true, false, accumulate);
          checked_product(kind, size, true, true, accumulate);
        }
      }
    }
  }

  TEST_CASE("a product over no terms is zero") {
    for (const Kind& kind : kKinds) {
      std::vector<float> c(6, 5.0f);
      kind.multiply(2, 3, 0, row_major(nullptr, 0), row_major(nullptr, 3), c.data(), true);
      CHECK(c == std::vector<float>(6, 5.0f));
      kind.multiply(2, 3, 0, row_major(nullptr, 0), row_major(nullptr, 3), c.data(), false);
      CHECK(c == std::vector<float>(6, 0.0f));
    }
  }

  TEST_CASE("products are bitwise the same for any thread count and for a row alone") {
    for (const Kind& kind : kKinds) {
      const Sizes size{600, 130, 600};
      const int threads = thread_count();
      set_thread_count(1);
      const auto serial = checked_product(kind, size, false, true, false);
      set_thread_count(3);
      CHECK(checked_product(kind, size, false, true, false) == serial);
      set_thread_count(threads);
      const auto alone = checked_product(kind, {1, size.N, size.K}, false, true, false);
      CHECK(alone == std::vector<float>(serial.begin(), serial.begin() + size.N));
    }
  }

  TEST_CASE("NaN and infinity reach the elements they enter, and no others") {
    for (const Kind& kind : kKinds) {
      std::vector<float> a(20 * 40, 1.0f), b(40 * 20, 1.0f), c(20 * 20);
      a[3 * 40 + 7] = NAN;
      b[2 * 20 + 5] = INFINITY;
      kind.multiply(20, 20, 40, row_major(a.data(), 40), row_major(b.data(), 20), c.data(), false);
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
}

}  // namespace arbg::tensor
