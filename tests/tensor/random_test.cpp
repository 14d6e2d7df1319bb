#include "tensor/base/random.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

using namespace arbg;

TEST_SUITE("fast") {
  // Known answers of philox4x32-10, from the authors' distribution (Random123, kat_vectors).
  TEST_CASE("Philox gives the published known answers") {
    using Words = std::array<std::uint32_t, 4>;
    CHECK(Random(0, 0).block(0) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    const std::uint64_t ones = ~std::uint64_t{0};
    CHECK(Random(ones, ones).block(ones) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(Random(0x299f31d0a4093822, 0x0370734413198a2e).block(0x85a308d3243f6a88) ==
          Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  }

  TEST_CASE("a number depends on seed, stream and index, and on nothing else") {
    const Random random(5, 9);
    const double before = random.uniform(1234567890123);
    random.normal_pair(4);
    CHECK(random.uniform(1234567890123) == before);
    CHECK(Random(5, 9).uniform(1234567890123) == before);
    CHECK(Random(6, 9).uniform(1234567890123) != before);
    CHECK(Random(5, 10).uniform(1234567890123) != before);
    CHECK(random.uniform(1234567890124) != before);
  }

  TEST_CASE("named streams differ by name and by number, and never change") {
    std::set<std::uint64_t> ids;
    for (const char* purpose : {"", "a", "noise", "shuffle"}) {
      for (std::uint64_t k = 0; k < 100; ++k) ids.insert(stream_id(purpose, k));
    }
    CHECK(ids.size() == 400);
    // FNV-1a of "a" and eight zero bytes.
    std::uint64_t hash = (0xcbf29ce484222325u ^ 0x61) * 0x100000001b3u;
    for (int i = 0; i < 8; ++i) hash *= 0x100000001b3u;
    CHECK(stream_id("a") == hash);
  }

  TEST_CASE("uniform is inside (0, 1) and below is inside its range") {
    const Random random(1, 2);
    for (std::uint64_t i = 0; i < 10000; ++i) {
      const double u = random.uniform(i);
      REQUIRE(u > 0);
      REQUIRE(u < 1);
      const std::int64_t k = random.below(3, i);
      REQUIRE(k >= 0);
      REQUIRE(k < 3);
    }
    CHECK(random.below(1, 0) == 0);
  }
}

TEST_SUITE("statistical") {
  // One million numbers; each moment within 5 standard errors of its exact value.
  TEST_CASE("moments of uniform and normal numbers are those of their distributions") {
    const Random random(2024, stream_id("moments"));
    constexpr std::uint64_t kCount = 1000000;
    double uniform1 = 0, uniform2 = 0, normal1 = 0, normal2 = 0, normal4 = 0, product = 0;
    for (std::uint64_t i = 0; i < kCount; ++i) {
      const double u = random.uniform(i);
      uniform1 += u;
      uniform2 += u * u;
      const auto [a, b] = random.normal_pair(i);
      normal1 += a + b;
      normal2 += a * a + b * b;
      normal4 += a * a * a * a + b * b * b * b;
      product += a * b;
    }
    const double n = kCount, root = std::sqrt(n);
    CHECK(std::abs(uniform1 / n - 0.5) < 5 * std::sqrt(1.0 / 12) / root);
    CHECK(std::abs(uniform2 / n - 1.0 / 3) < 5 * std::sqrt(4.0 / 45) / root);
    CHECK(std::abs(normal1 / (2 * n)) < 5 / std::sqrt(2 * n));
    CHECK(std::abs(normal2 / (2 * n) - 1) < 5 * std::sqrt(2.0) / std::sqrt(2 * n));
    CHECK(std::abs(normal4 / (2 * n) - 3) < 5 * std::sqrt(96.0) / std::sqrt(2 * n));
    CHECK(std::abs(product / n) < 5 / root);
  }

  // 255 degrees of freedom: mean 255, standard deviation sqrt(510).
  TEST_CASE("below fills its range evenly") {
    const Random random(7, stream_id("even"));
    std::array<double, 256> count{};
    constexpr std::uint64_t kCount = 1000000;
    for (std::uint64_t i = 0; i < kCount; ++i)
      count[static_cast<std::size_t>(random.below(256, i))] += 1;
    const double expected = static_cast<double>(kCount) / 256;
    double chi_squared = 0;
    for (const double c : count) chi_squared += (c - expected) * (c - expected) / expected;
    CHECK(std::abs(chi_squared - 255) < 4 * std::sqrt(510.0));
  }
}
