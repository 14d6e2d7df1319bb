// Resampling: unbiased by every scheme, exact where the counts are determined.
#include "sampling/smc/resampling.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "tensor/base/error.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Resampling kSchemes[] = {Resampling::systematic, Resampling::stratified,
                                   Resampling::residual, Resampling::multinomial};

std::vector<double> logs(std::vector<double> weights) {
  for (double& w : weights) w = std::log(w);
  return weights;
}

std::vector<double> copies(const std::vector<std::int64_t>& chosen, std::size_t size) {
  std::vector<double> out(size, 0.0);
  for (const auto i : chosen) out[static_cast<std::size_t>(i)] += 1;
  return out;
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("systematic resampling gives every index the floor or ceiling of its share") {
  const std::vector<double> weights{0, 0.3, 1.7, 0, 5, 0.001, 2, 0};
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (const std::int64_t count : {1, 7, 100}) {
    for (std::uint64_t index = 0; index < 50; ++index) {
      const auto chosen =
          resample(Resampling::systematic, logs(weights), count, Random(1, 2), index);
      REQUIRE(std::ssize(chosen) == count);
      CHECK(std::ranges::is_sorted(chosen));
      const auto found = copies(chosen, weights.size());
      for (std::size_t i = 0; i < weights.size(); ++i) {
        CHECK(std::fabs(found[i] - static_cast<double>(count) * weights[i] / total) < 1);
      }
    }
  }
}

TEST_CASE("whole shares are exact for all schemes but the multinomial, at any scale") {
  for (const double scale : {-2000.0, 0.0, 2000.0}) {
    auto log_w = logs({1, 0, 2, 4, 1});
    for (double& value : log_w) value += scale;
    for (const Resampling scheme :
         {Resampling::systematic, Resampling::stratified, Resampling::residual}) {
      CAPTURE(std::string(name_of(scheme)));
      CHECK(copies(resample(scheme, log_w, 16, Random(3, 4)), 5) ==
            std::vector<double>{2, 0, 4, 8, 2});
    }
  }
}

TEST_CASE("one weight takes everything, and a weight of zero is never drawn") {
  for (const Resampling scheme : kSchemes) {
    CAPTURE(std::string(name_of(scheme)));
    const std::vector<double> one{-kInfinity, 3, -kInfinity};
    CHECK(resample(scheme, one, 4, Random(5, 6)) == std::vector<std::int64_t>(4, 1));
    CHECK(resample(scheme, one, 0, Random(5, 6)).empty());
    for (std::uint64_t trial = 0; trial < 500; ++trial) {
      const auto chosen = resample(scheme, logs({0, 1, 0, 1, 0}), 3, Random(7, trial));
      REQUIRE(std::ssize(chosen) == 3);
      CHECK(std::ranges::all_of(chosen, [](std::int64_t i) { return i % 2 == 1; }));
    }
  }
}

TEST_CASE("weights that cannot be resampled are refused with the reason") {
  for (const Resampling scheme : kSchemes) {
    const std::vector<double> dead(3, -kInfinity), bad{0, kInfinity}, none,
        nan{0, 1, std::numeric_limits<double>::quiet_NaN()};
    CHECK_THROWS_WITH_AS(resample(scheme, dead, 3, Random(1, 2)),
                         doctest::Contains("all 3 log weights are -infinity"), Error);
    CHECK_THROWS_WITH_AS(resample(scheme, nan, 3, Random(1, 2)),
                         doctest::Contains("nan at index 2"), Error);
    CHECK_THROWS_AS(resample(scheme, bad, 3, Random(1, 2)), Error);
    CHECK_THROWS_AS(resample(scheme, none, 3, Random(1, 2)), Error);
  }
  CHECK(resampling_named("residual") == Resampling::residual);
  CHECK_THROWS_WITH_AS(resampling_named("best"), doctest::Contains("systematic, stratified"),
                       Error);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

TEST_CASE("every scheme is unbiased, none scatters more than independent draws") {
  const std::vector<double> weights{0.05, 0.32, 0.11, 0.4, 0.12};
  const std::int64_t count = 4;
  constexpr int kTrials = 20000;
  for (const Resampling scheme : kSchemes) {
    CAPTURE(std::string(name_of(scheme)));
    std::vector<double> sum(weights.size(), 0.0), squares(weights.size(), 0.0);
    for (int trial = 0; trial < kTrials; ++trial) {
      const auto found = copies(resample(scheme, logs(weights), count, Random(19, 20),
                                         static_cast<std::uint64_t>(trial * 8)),
                                weights.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        sum[i] += found[i];
        squares[i] += found[i] * found[i];
      }
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double share = static_cast<double>(count) * weights[i], mean = sum[i] / kTrials;
      const double variance = squares[i] / kTrials - mean * mean;
      CHECK(std::fabs(mean - share) < 4 * std::sqrt(variance / kTrials));
      // The binomial variance; its own standard error is about sqrt(2 / trials) of it.
      CHECK(variance < share * (1 - weights[i]) * (1 + 5 * std::sqrt(2.0 / kTrials)));
      if (scheme == Resampling::multinomial) {
        CHECK(variance > share * (1 - weights[i]) * (1 - 5 * std::sqrt(3.0 / kTrials)));
      }
    }
  }
}

TEST_SUITE_END();
