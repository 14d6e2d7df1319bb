// The sizes and the figures of populations of sequential Monte Carlo.
#include "sampling/smc/population.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/base/error.h"
#include "tensor/base/random.h"

namespace arbg::sampling {
namespace {

TEST_SUITE("fast") {
  TEST_CASE("populations share out any number of particles, sizes differ by at most one") {
    SmcOptions options;
    for (const std::int64_t populations : {1, 2, 3, 20, 53}) {
      for (const std::int64_t count : {53, 60, 100, 1003}) {
        options.populations = populations;
        options.count = count;
        options.check();
        std::int64_t sum = 0;
        for (std::int64_t p = 0; p < populations; ++p) {
          CHECK(options.particles(p) >= count / populations);
          CHECK(options.particles(p) <= count / populations + 1);
          CHECK(options.particles(p) >= options.particles(populations - 1));
          sum += options.particles(p);
        }
        CHECK(sum == count);
      }
    }
    options.populations = 54;
    options.count = 53;
    CHECK_THROWS_AS(options.check(), Error);
  }

  TEST_CASE("log Z of populations is of each one's own weights, whatever the sizes") {
    const double weights[] = {1, 2, 3, 4, 5, 6, 7};  // 3, 2 and 2
    std::vector<double> log_weight;
    for (const double w : weights) log_weight.push_back(std::log(w));
    const auto log_z = log_z_of_populations(log_weight, 3);
    REQUIRE(log_z.size() == 3);
    CHECK(log_z[0] == doctest::Approx(std::log(2.0)).epsilon(1e-14));
    CHECK(log_z[1] == doctest::Approx(std::log(4.5)).epsilon(1e-14));
    CHECK(log_z[2] == doctest::Approx(std::log(6.5)).epsilon(1e-14));
    CHECK(summarise(log_weight, 3).log_z == doctest::Approx(std::log(4.0)).epsilon(1e-14));
    CHECK_THROWS_AS(log_z_of_populations(log_weight, 8), Error);
  }

  TEST_CASE("a single population, or a single sample, has log Z without an error") {
    const double log_weight[] = {0, 1, 2};
    CHECK(std::isnan(summarise(log_weight, 1).log_z_error));
    CHECK(std::isnan(summarise(std::span(log_weight).first(1), 0).log_z_error));
    CHECK(std::isfinite(summarise(log_weight, 3).log_z_error));
  }
}

TEST_SUITE("statistical") {
  TEST_CASE("with uneven populations the mean weight is unbiased, and its stated error is right") {
    // 53 weights of mean 1 and variance 1 (exponential) in 20 populations of 3 or 2, many times.
    constexpr std::int64_t kCount = 53, kPopulations = 20;
    constexpr int kRuns = 20000;
    const Random random(7, stream_id("uneven populations"));
    double sum = 0, squares = 0, stated = 0;
    for (int run = 0; run < kRuns; ++run) {
      std::vector<double> log_weight;
      for (std::int64_t i = 0; i < kCount; ++i)
        log_weight.push_back(
            std::log(-std::log(random.uniform(static_cast<std::uint64_t>(run * kCount + i)))));
      const auto summary = summarise(log_weight, kPopulations);
      const double z = std::exp(summary.log_z);
      sum += z / kRuns;
      squares += z * z / kRuns;
      stated += std::pow(summary.log_z_error * z, 2) / kRuns;
    }
    const double variance = squares - sum * sum;  // 1 / 53
    CAPTURE(stated / variance);
    CHECK(std::abs(sum - 1) < 4 * std::sqrt(variance / kRuns));
    CHECK(variance == doctest::Approx(1.0 / kCount).epsilon(0.04));
    // The mean of 1 / size is 4 % above the inverse of the mean size.
    CHECK(stated / variance > 0.97);
    CHECK(stated / variance < 1.1);
  }
}

}  // namespace
}  // namespace arbg::sampling
