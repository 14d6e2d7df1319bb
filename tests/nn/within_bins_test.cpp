// The density 1 + a t within a bin, and the places that are drawn from it.
#include "nn/heads/within_bins.h"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/heads/coordinate_bins.h"
#include "tensor/base/error.h"

namespace arbg::nn {

TEST_SUITE("fast") {
  TEST_CASE("below a place lies its share of the density, at any slope; of slope 0 to the bit") {
    for (const double a : {-1.8, -0.7, -1e-9, 1e-300, 0.3, 1.8}) {
      CAPTURE(a);
      double last = -1;
      for (const double u : {0x1p-54, 1e-9, 0.01, 0.2, 0.5, 0.77, 0.999, 1 - 1e-12, 1 - 0x1p-53}) {
        const double f = sloped_place(u, a);
        CHECK(f > last);
        CHECK(f < 1);
        CHECK(std::abs(f + a / 2 * (f * f - f) - u) < 1e-15);
        last = f;
      }
    }
    for (const double u : {0x1p-54, 0.1, 1.0 / 3, 0.7, 1 - 0x1p-53}) CHECK(sloped_place(u, 0) == u);
  }

  TEST_CASE("the density over a bin integrates to 1 and is never 0") {
    for (const double a : {-1.8, 0.0, 0.4, 1.8}) {
      double sum = 0;
      for (int i = 0; i < 100; ++i) {
        const double density = std::exp(log_sloped(a, (i + 0.5) / 100 - 0.5));
        CHECK(density > 0.09);
        sum += density / 100;
      }
      CHECK(std::abs(sum - 1) < 1e-14);
    }
  }

  TEST_CASE("a place in a bin is from -1/2 to 1/2, around a period too") {
    const CoordinateBins bins(8, {{-1, 3}, {-1, 3, true}});
    for (const std::int64_t j : {0, 1}) {
      for (std::int32_t k = 0; k < 8; ++k) {
        CHECK(bins.place_in_bin(j, k, -1 + 0.5 * k) == -0.5);
        CHECK(bins.place_in_bin(j, k, -1 + 0.5 * k + 0.375) == 0.25);
      }
      CHECK(bins.place_in_bin(j, 7, std::nextafter(3.0, 0)) == doctest::Approx(0.5));
    }
    CHECK(bins.place_in_bin(1, 0, 3.125) == -0.25);
    CHECK(bins.place_in_bin(1, 7, -1.125) == 0.25);
  }

  TEST_CASE("where a description says nothing bins are uniform, and other words are refused") {
    Json description = Json::object();
    CHECK(within_bins_of(description) == WithinBins::uniform);
    say_within_bins(description, WithinBins::uniform);
    CHECK_FALSE(description.has(kWithinBins));
    for (const auto within : {WithinBins::sloped, WithinBins::uniform}) {
      say_within_bins(description, within);
      CHECK(within_bins_of(description) == within);
    }
    description[kWithinBins] = "flat";
    CHECK_THROWS_WITH_AS(within_bins_of(description),
                         "a density within bins is sloped or uniform, not 'flat'", Error);
  }
}

}  // namespace arbg::nn
