// Bins: encode and decode are inverse at every edge in every precision, nothing outside passes,
// densities integrate to one.
#include "nn/heads/coordinate_bins.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "tensor/base/error.h"

namespace arbg::nn {
namespace {

constexpr double kPi = std::numbers::pi;

// Cartesian as published, narrow ones as of a bond length, periodic torsions; sizes that are no
// powers of two.
std::vector<CoordinateBins> examples() {
  return {CoordinateBins(4096, {{-3, 3}, {-4.5, 4.5}}), CoordinateBins(8192, {{-3, 3}}),
          CoordinateBins(256, {{0.1029, 0.1471}, {1.5, 2.3}, {-kPi, kPi, true}, {-2.9, 3.3, true}}),
          CoordinateBins(7, {{0.1, 0.3}, {-1e-3, 2e3}, {1e5, 2e5}}), CoordinateBins(1, {{-1, 1}})};
}

TEST_SUITE("fast") {
  TEST_CASE(
      "decoding and encoding gives the bin back, at every edge, in double and in stored float32") {
    for (const auto& bins : examples()) {
      for (std::int64_t j = 0; j < bins.coordinates(); ++j) {
        for (std::int32_t k = 0; k < bins.bins(); ++k) {
          for (const double fraction : {0.0, 1e-17, 1e-9, 0.5, 0.999999, 1 - 0x1.0p-53}) {
            CAPTURE(j);
            CAPTURE(k);
            CAPTURE(fraction);
            const double x = bins.decode(j, k, fraction);
            const float stored = bins.decode_float(j, k, fraction);
            REQUIRE(bins.encode(j, x) == k);
            REQUIRE(bins.encode(j, static_cast<double>(stored)) == k);
            const double exact = bins.axis(j).low + (k + fraction) * bins.width(j);
            REQUIRE(std::abs(x - exact) <=
                    1e-15 * std::max(std::abs(bins.axis(j).low), std::abs(bins.axis(j).high)));
            REQUIRE(std::abs(static_cast<double>(stored) - exact) <=
                    2.5e-7 * std::max(std::abs(bins.axis(j).low), std::abs(bins.axis(j).high)));
          }
        }
      }
    }
  }

  TEST_CASE(
      "bins are contiguous: along the axis the bin never falls, skips none, and ends are inside or "
      "out") {
    const CoordinateBins bins(37, {{-0.7, 1.9}});
    std::int32_t last = 0;
    for (double x = -0.7; x < 1.9; x += 1e-3) {
      const auto k = bins.encode(0, x);
      REQUIRE(k >= last);
      REQUIRE(k <= last + 1);
      last = k;
    }
    CHECK(last == 36);
    CHECK(bins.encode(0, -0.7) == 0);
    CHECK(bins.encode(0, std::nextafter(1.9, 0.0)) == 36);
  }

  TEST_CASE("what is outside is never clamped") {
    const CoordinateBins bins(8, {{-1, 1}});
    const double infinity = std::numeric_limits<double>::infinity();
    for (const double x : {1.0, std::nextafter(-1.0, -2.0), -5.0, 1e300, infinity, -infinity,
                           std::numeric_limits<double>::quiet_NaN()}) {
      CHECK(bins.encode(0, x) == CoordinateBins::kOutside);
    }
    const CoordinateBins pair(8, {{-1, 1}, {-1, 1}});
    std::vector<std::int32_t> tokens(6);
    std::vector<std::int64_t> outside(2);
    CHECK(pair.encode_rows(std::vector{0.0, 0.0, 2.0, -2.0, 0.5, 3.0}, tokens, outside) == 2);
    CHECK(tokens == std::vector<std::int32_t>{4, 4, -1, -1, 6, -1});
    CHECK(outside == std::vector<std::int64_t>{1, 2});
  }

  TEST_CASE("periodic coordinates are the same a whole number of turns away") {
    const CoordinateBins bins(360, {{-kPi, kPi, true}});
    for (std::int32_t k = 0; k < 360; ++k) {
      const double x = bins.decode(0, k, 0.4);
      for (const double turns : {-3.0, -1.0, 1.0, 7.0})
        REQUIRE(bins.encode(0, x + turns * 2 * kPi) == k);
    }
    CHECK(bins.encode(0, kPi) == 0);
    CHECK(bins.encode(0, std::nextafter(-kPi, -4.0)) == 359);
    CHECK(bins.encode(0, std::numeric_limits<double>::infinity()) == CoordinateBins::kOutside);
  }

  TEST_CASE("the density exp(log P(k) - log h) integrates to one over the axis") {
    const CoordinateBins bins(23, {{-0.4, 2.1}});
    std::vector<double> p(23);
    double total = 0;
    for (std::size_t k = 0; k < p.size(); ++k) total += p[k] = 1 + static_cast<double>(k * k % 13);
    constexpr int kPoints = 23 * 1000;  // a midpoint rule that meets every bin equally often
    double integral = 0;
    for (int i = 0; i < kPoints; ++i) {
      const double x = -0.4 + (i + 0.5) * 2.5 / kPoints;
      const auto k = static_cast<std::size_t>(bins.encode(0, x));
      integral += std::exp(std::log(p[k] / total) - bins.log_width(0)) * 2.5 / kPoints;
    }
    CHECK(integral == doctest::Approx(1).epsilon(1e-12));
    const CoordinateBins two(10, {{0, 1}, {0, 50}});
    CHECK(two.log_volume() == doctest::Approx(std::log(0.1) + std::log(5.0)).epsilon(1e-15));
  }

  TEST_CASE("bins survive JSON bit for bit, and nonsense is refused") {
    for (const auto& bins : examples()) {
      const auto back = CoordinateBins::from_json(Json::parse(bins.to_json().dump(), "bins"));
      REQUIRE(back.coordinates() == bins.coordinates());
      CHECK(back.log_volume() == bins.log_volume());
      for (std::int64_t j = 0; j < bins.coordinates(); ++j) {
        CHECK(back.axis(j).low == bins.axis(j).low);
        CHECK(back.axis(j).high == bins.axis(j).high);
        CHECK(back.axis(j).periodic == bins.axis(j).periodic);
      }
    }
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK_THROWS_AS(CoordinateBins(0, {{0, 1}}), Error);
    CHECK_THROWS_AS(CoordinateBins(4, {{1, 1}}), Error);
    CHECK_THROWS_AS(CoordinateBins(4, {{0, infinity}}), Error);
    CHECK_THROWS_AS(CoordinateBins(1 << 20, {{100, 101}}),
                    Error);  // narrower than float32 can tell apart
    CHECK_THROWS_AS(CoordinateBins(4, {{0, 1}}).decode(0, 4, 0.5), Error);
    CHECK_THROWS_AS(CoordinateBins(4, {{0, 1}}).decode(0, 1, 1.5), Error);
  }
}

}  // namespace
}  // namespace arbg::nn
