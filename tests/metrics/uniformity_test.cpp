#include "metrics/statistics/uniformity.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tensor/base/error.h"

namespace arbg::metrics {

TEST_SUITE("fast") {
  TEST_CASE("the distance of a few numbers, by hand") {
    CHECK(kolmogorov_distance(std::vector{0.5}) == doctest::Approx(0.5));
    CHECK(kolmogorov_distance(std::vector{0.9, 0.1}) == doctest::Approx(0.4));
    CHECK(kolmogorov_distance(std::vector{0.0, 0.0}) == doctest::Approx(1.0));
    CHECK(kolmogorov_distance(std::vector{0.125, 0.375, 0.625, 0.875}) == doctest::Approx(0.125));
  }

  // Smirnov's table: 1.3581 at 5 %, 1.6276 at 1 %, 1.9495 at 0.1 %.
  TEST_CASE("bounds are those of the published table") {
    CHECK(std::abs(kolmogorov_bound(0.05) - 1.3581) < 1e-4);
    CHECK(std::abs(kolmogorov_bound(0.01) - 1.6276) < 1e-4);
    CHECK(std::abs(kolmogorov_bound(0.001) - 1.9495) < 1e-4);
  }

  TEST_CASE("values outside [0, 1], NaN and nothing at all are refused") {
    CHECK_THROWS_AS(kolmogorov_distance(std::vector<double>{}), Error);
    CHECK_THROWS_AS(kolmogorov_distance(std::vector{0.5, 1.5}), Error);
    CHECK_THROWS_AS(kolmogorov_distance(std::vector{std::nan("")}), Error);
    CHECK_THROWS_AS(kolmogorov_bound(0), Error);
  }
}

}  // namespace arbg::metrics
