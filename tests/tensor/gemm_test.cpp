#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tensor/base/random.h"
#include "tensor/base/threads.h"
#include "tensor/gemm/gemm_cpu.h"

namespace arbg::tensor {
namespace {

struct Sizes {
  std::int64_t M, N, K;
};

// Around every edge of the scheme: tiles of 6 x 64 (6 x 16 without AVX-512), blocks of 256 x 512.
constexpr Sizes kSizes[] = {{1, 1, 1},      {6, 64, 1},     {7, 65, 2},     {5, 63, 17},
                            {12, 16, 255},  {13, 170, 256}, {11, 48, 257},  {3, 511, 3},
                            {100, 512, 40}, {6, 513, 12},   {97, 200, 513}, {2, 1025, 5},
                            {0, 3, 4},      {3, 0, 4}};

std::vector<float> random_floats(std::int64_t count, std::uint64_t stream) {
  const Random random(3, stream);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(random.uniform(i) - 0.5);
  return values;
}

// c has two rows of sentinels before and behind.
constexpr float kSentinel = 777.0f;

std::vector<float> product(const Sizes& size, bool a_transposed, bool b_transposed,
                           bool accumulate) {
  const auto [M, N, K] = size;
  const auto a = random_floats(M * K, 1), b = random_floats(K * N, 2);
  const MatrixView A = a_transposed ? row_major(a.data(), M).transposed() : row_major(a.data(), K);
  const MatrixView B = b_transposed ? row_major(b.data(), K).transposed() : row_major(b.data(), N);
  std::vector<float> c(static_cast<std::size_t>((M + 4) * N), kSentinel);
  float* inside = c.data() + 2 * N;
  std::fill_n(inside, M * N, accumulate ? 0.5f : NAN);
  gemm(M, N, K, A, B, inside, accumulate);
  for (std::int64_t i = 0; i < 2 * N; ++i) {
    REQUIRE(c[static_cast<std::size_t>(i)] == kSentinel);
    REQUIRE(inside[M * N + i] == kSentinel);
  }
  for (std::int64_t m = 0; m < M; ++m) {
    for (std::int64_t n = 0; n < N; ++n) {
      double sum = accumulate ? 0.5 : 0.0;
      for (std::int64_t k = 0; k < K; ++k)
        sum += static_cast<double>(*A.at(m, k)) * static_cast<double>(*B.at(k, n));
      REQUIRE(std::abs(static_cast<double>(inside[m * N + n]) - sum) <=
              1e-6 * std::sqrt(static_cast<double>(K)));
    }
  }
  return std::vector<float>(inside, inside + M * N);
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("products of any sizes and strides are right and write nothing else") {
    for (const Sizes& size : kSizes) {
      CAPTURE(size.M);
      CAPTURE(size.N);
      CAPTURE(size.K);
      for (const bool accumulate : {false, true}) {
        product(size, false, false, accumulate);
        product(size, false, true, accumulate);
        product(size, true, false, accumulate);
        product(size, true, true, accumulate);
      }
    }
  }

  TEST_CASE("a product over no terms is zero") {
    std::vector<float> c(6, 5.0f);
    gemm(2, 3, 0, row_major(nullptr, 0), row_major(nullptr, 3), c.data(), true);
    CHECK(c == std::vector<float>(6, 5.0f));
    gemm(2, 3, 0, row_major(nullptr, 0), row_major(nullptr, 3), c.data(), false);
    CHECK(c == std::vector<float>(6, 0.0f));
  }

  TEST_CASE("products are bitwise the same for any thread count and for a row alone") {
    const Sizes size{600, 130, 300};
    const int threads = thread_count();
    set_thread_count(1);
    const auto serial = product(size, false, true, false);
    set_thread_count(3);
    CHECK(product(size, false, true, false) == serial);
    set_thread_count(threads);
    const auto alone = product({1, size.N, size.K}, false, true, false);
    CHECK(alone == std::vector<float>(serial.begin(), serial.begin() + size.N));
  }

  TEST_CASE("NaN and infinity reach the elements they enter, and no others") {
    std::vector<float> a(12 * 20, 1.0f), b(20 * 20, 1.0f), c(12 * 20);
    a[3 * 20 + 7] = NAN;
    b[2 * 20 + 5] = INFINITY;
    gemm(12, 20, 20, row_major(a.data(), 20), row_major(b.data(), 20), c.data(), false);
    for (std::int64_t m = 0; m < 12; ++m) {
      for (std::int64_t n = 0; n < 20; ++n) {
        const float value = c[static_cast<std::size_t>(m * 20 + n)];
        if (m == 3)
          CHECK(std::isnan(value));
        else if (n == 5)
          CHECK(std::isinf(value));
        else
          CHECK(value == 20.0f);
      }
    }
  }
}

}  // namespace arbg::tensor
