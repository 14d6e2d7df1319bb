// Intervals of draws that can be counted, of normal means, and SciPy's.
#include "metrics/statistics/bootstrap.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"
#include "tensor/base/random.h"
#include "tensor/base/threads.h"

using namespace arbg;
using namespace arbg::metrics;

namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

Statistic median_of(const std::vector<double>& values) {
  return [&values](std::span<const std::size_t> units) {
    std::vector<double> chosen;
    for (const std::size_t i : units) chosen.push_back(values[i]);
    return median(chosen);
  };
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("the mean of two units is 0, 1/2 or 1 with probabilities 1/4, 1/2 and 1/4") {
  const std::vector<double> values{0, 1};
  const auto interval = [&](double level) {
    return bootstrap(2, weighted_mean(values, {}), {.draws = 4000, .level = level});
  };
  CHECK(interval(0.4).estimate == 0.5);
  CHECK(interval(0.4).low == 0.5);  // quantiles 0.3 and 0.7
  CHECK(interval(0.4).high == 0.5);
  CHECK(interval(0.6).low == 0);  // 0.2 and 0.8
  CHECK(interval(0.6).high == 1);
}

TEST_CASE("quantiles lie between order statistics") {
  // Of one draw there is one figure; of two, quantiles p and 1 - p divide what is between.
  const std::vector<double> values{3, 8, 20};
  const auto one = bootstrap(3, weighted_mean(values, {}), {.draws = 1});
  CHECK(one.low == one.high);
  const auto all = bootstrap(3, weighted_mean(values, {}), {.draws = 2, .level = 1 - 1e-12});
  const auto half = bootstrap(3, weighted_mean(values, {}), {.draws = 2, .level = 0.5});
  REQUIRE(all.low < all.high);
  CHECK(half.low == doctest::Approx(0.75 * all.low + 0.25 * all.high));
  CHECK(half.high == doctest::Approx(0.25 * all.low + 0.75 * all.high));
}

TEST_CASE("the same seed gives the same interval for any number of threads") {
  const std::vector<double> values{1, 4.13, 2.71, 9.2, 5.55};
  const auto interval = [&](std::uint64_t seed) {
    return bootstrap(5, weighted_mean(values, {}), {.draws = 300, .level = 0.7, .seed = seed});
  };
  const int threads = thread_count();
  set_thread_count(1);
  const Interval one = interval(3);
  set_thread_count(4);
  const Interval four = interval(3), other = interval(4);
  set_thread_count(threads);
  CHECK(one.low == four.low);
  CHECK(one.high == four.high);
  CHECK((other.low != one.low || other.high != one.high));
}

TEST_CASE("sides are drawn independently, and constant ones differ by exactly their difference") {
  const std::vector<double> values{1, 4, 2, 9, 5}, five(7, 5.0), three(4, 3.0);
  const auto own = bootstrap_difference(5, weighted_mean(values, {}), 5, weighted_mean(values, {}));
  CHECK(own.estimate == 0);
  CHECK(own.low < -0.5);  // with the same draws on both sides it would be 0
  CHECK(own.high > 0.5);
  CHECK(own.contains(0));
  CHECK_FALSE(exceeds(own));

  const auto two = bootstrap_difference(7, weighted_mean(five, {}), 4, weighted_mean(three, {}));
  CHECK(two.low == 2);
  CHECK(two.high == 2);
  CHECK(exceeds(two));
  CHECK(exceeds(two, 1.9));
  CHECK_FALSE(exceeds(two, 2));
  CHECK(exceeds({-2, -2.5, -1.5}, 1.4));
  CHECK_FALSE(exceeds({-2, -2.5, -1.5}, 1.6));
  CHECK_THROWS_AS(exceeds(two, -1), Error);
}

TEST_CASE("weights are drawn with their samples") {
  const std::vector<double> values{1, 2}, weights{3, 1}, equal;
  CHECK(weighted_mean(values, weights)(std::vector<std::size_t>{0, 1}) == 1.25);
  CHECK(weighted_mean(values, weights)(std::vector<std::size_t>{1, 1, 0}) == 7.0 / 5);
  CHECK(weighted_mean(values, equal)(std::vector<std::size_t>{1, 1, 0}) == 5.0 / 3);
  CHECK_THROWS_AS(weighted_mean(values, std::vector<double>{1}), Error);
}

TEST_CASE("what has no interval is refused") {
  const std::vector<double> values{1, 2}, weights{0, 1};
  const Statistic mean = weighted_mean(values, {});
  CHECK_THROWS_AS(bootstrap(1, mean), Error);
  CHECK_THROWS_AS(bootstrap_difference(2, mean, 1, mean), Error);
  CHECK_THROWS_AS(bootstrap(2, mean, {.draws = 0}), Error);
  CHECK_THROWS_AS(bootstrap(2, mean, {.level = 1}), Error);
  CHECK_THROWS_AS(bootstrap(2, mean, {.level = 0}), Error);
  // A quarter of the draws has no weight at all.
  CHECK_THROWS_WITH_AS(bootstrap(2, weighted_mean(values, weights)),
                       doctest::Contains("of the bootstrap"), Error);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

TEST_CASE("the interval of a mean of n normal numbers is 1.96 standard errors to either side") {
  const Random random(21, 22);
  const std::size_t n = 1000;
  std::vector<double> values(n);
  double mean = 0, square = 0;
  for (std::size_t i = 0; i < n; ++i) values[i] = random.normal_pair(i)[0];
  for (const double v : values) mean += v / static_cast<double>(n);
  for (const double v : values) square += (v - mean) * (v - mean) / static_cast<double>(n);
  const double error = std::sqrt(square / static_cast<double>(n));
  const std::size_t draws = 20000;
  const auto found = bootstrap(n, weighted_mean(values, {}), {.draws = draws});
  // The standard error of the quantile p of D draws is sqrt(p (1 - p) / D) / density: 0.019 errors.
  const double of_quantile = std::sqrt(0.025 * 0.975 / static_cast<double>(draws)) / 0.0584 * error;
  CHECK(std::fabs(found.low - (mean - 1.96 * error)) < 4 * of_quantile);
  CHECK(std::fabs(found.high - (mean + 1.96 * error)) < 4 * of_quantile);
}

TEST_CASE("the widened level makes intervals of ten units hold the mean as often as they say") {
  CHECK(widened_level(0.95, 10) == doctest::Approx(0.9829).epsilon(1e-3));  // t = 2.2622
  CHECK(widened_level(0.95, 1e6) == doctest::Approx(0.95).epsilon(1e-5));
  CHECK_THROWS_AS(widened_level(0.95, 4), Error);
  constexpr std::uint64_t kSeeds = 1000;
  int held = 0, held_plain = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Random random(seed, 3);
    std::vector<double> values;
    for (std::uint64_t i = 0; i < 10; ++i) values.push_back(random.normal_pair(i)[0]);
    const auto interval = [&](double level) {
      return bootstrap(10, weighted_mean(values, {}), {.draws = 400, .level = level, .seed = seed});
    };
    held += interval(widened_level(0.95, 10)).contains(0);
    held_plain += interval(0.95).contains(0);
  }
  // Three standard errors are 21 seeds; percentiles of few draws lie a little inside.
  CHECK(std::abs(held - 950) < 25);
  CHECK(held_plain < 925);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("golden");

TEST_CASE("percentile intervals are those of SciPy, up to its draws and ours") {
  const auto path = std::filesystem::path(ARBG_GOLDEN_DIR) / "metrics" / "evaluation.json";
  const Json golden = Json::parse(read_file(path), "evaluation.json").at("bootstrap");
  const auto a = numbers_of(golden.at("a")), b = numbers_of(golden.at("b"));
  // 100,000 draws on either side; quantiles have standard errors of half a per cent of the width.
  const auto close = [](const Interval& found, const std::vector<double>& expected) {
    const double tolerance = 0.02 * (expected[1] - expected[0]);
    CHECK(std::fabs(found.low - expected[0]) < tolerance);
    CHECK(std::fabs(found.high - expected[1]) < tolerance);
  };
  close(bootstrap(a.size(), median_of(a), {.draws = 100000, .level = 0.9}),
        numbers_of(golden.at("median_90")));
  close(bootstrap_difference(a.size(), weighted_mean(a, {}), b.size(), weighted_mean(b, {}),
                             {.draws = 100000}),
        numbers_of(golden.at("difference_of_means_95")));
}

TEST_SUITE_END();
