// Autocorrelation times of series whose time is known.
#include "metrics/statistics/autocorrelation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "tensor/base/error.h"
#include "tensor/base/random.h"

using namespace arbg;
using namespace arbg::metrics;

namespace {

// x_t = phi x_{t-1} + noise: rho(t) = phi^t, tau = (1 + phi)/(1 - phi).
std::vector<double> autoregressive(double phi, std::size_t count, std::uint64_t stream) {
  const Random random(31, stream);
  std::vector<double> x(count);
  x[0] = random.normal_pair(0)[0] / std::sqrt(1 - phi * phi);
  for (std::size_t t = 1; t < count; ++t) x[t] = phi * x[t - 1] + random.normal_pair(t)[0];
  return x;
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("a series that never moves is worth one frame") {
  const std::vector<double> still(100, 0.1);
  CHECK(integrated_autocorrelation(still).effective_frames == 1);
  CHECK_FALSE(integrated_autocorrelation(still).reliable);
  CHECK(integrated_autocorrelation_angles(still).effective_frames == 1);
}

TEST_CASE("an antithetic series is worth no more than its frames") {
  std::vector<double> alternating(1000);
  for (std::size_t t = 0; t < alternating.size(); ++t) alternating[t] = t % 2 ? 1 : -1;
  CHECK(integrated_autocorrelation(alternating).effective_frames == doctest::Approx(1000));
}

TEST_CASE("angles do not see the cut at pi") {
  const auto x = autoregressive(0.8, 2000, 1);
  std::vector<double> centred(x.size()), on_the_cut(x.size());
  for (std::size_t t = 0; t < x.size(); ++t) {
    centred[t] = 0.2 * x[t];
    on_the_cut[t] = std::remainder(0.2 * x[t] + std::numbers::pi, 2 * std::numbers::pi);
  }
  CHECK(integrated_autocorrelation_angles(on_the_cut).time ==
        doctest::Approx(integrated_autocorrelation_angles(centred).time).epsilon(1e-9));
}

TEST_CASE("bad input is refused") {
  CHECK_THROWS_AS(integrated_autocorrelation(std::vector{1.0}), Error);
  CHECK_THROWS_WITH_AS(
      integrated_autocorrelation_angles(std::vector{1.0, std::numeric_limits<double>::infinity()}),
      "expected a finite value, found inf at frame 1", Error);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

TEST_CASE("the time of an autoregressive series is (1 + phi)/(1 - phi)") {
  const std::size_t count = 100000;
  for (const double phi : {0.0, 0.5, 0.9}) {
    CAPTURE(phi);
    const auto result = integrated_autocorrelation(autoregressive(phi, count, 2));
    const double expected = (1 + phi) / (1 - phi);
    // Sokal: relative standard error sqrt(2 (2M + 1)/n).
    const double error = expected * std::sqrt(2 * (2 * static_cast<double>(result.window) + 1) /
                                              static_cast<double>(count));
    CHECK(std::fabs(result.time - expected) < 3 * error);
    CHECK(result.reliable);
    CHECK(result.effective_frames == doctest::Approx(static_cast<double>(count) / result.time));
  }
}

TEST_SUITE_END();
