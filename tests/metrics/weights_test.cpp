// Importance weights: closed forms, a known tail.
#include "metrics/weights/weights.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>
#include <vector>

#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"
#include "tensor/base/npy.h"
#include "tensor/base/random.h"

using namespace arbg;
using namespace arbg::metrics;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Weights U^-k have the Pareto tail P(w > x) = x^(-1/k) exactly.
std::vector<double> pareto_log_weights(double k, std::size_t count, std::uint64_t stream) {
  const Random random(13, stream);
  std::vector<double> log_weights(count);
  for (std::size_t i = 0; i < count; ++i) log_weights[i] = -k * std::log(random.uniform(i));
  return log_weights;
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("equal weights are worth all samples, whatever their scale") {
  for (const double log_scale : {0.0, -5000.0, 5000.0}) {
    const std::vector<double> log_weights(250, log_scale);
    const WeightSummary summary = summarise_weights(log_weights);
    CHECK(summary.count == 250);
    CHECK(summary.ess == doctest::Approx(250));
    CHECK(summary.ess_fraction == doctest::Approx(1));
    CHECK(summary.largest_share == doctest::Approx(1.0 / 250));
    CHECK(summary.log_z == doctest::Approx(log_scale));
    CHECK(summary.log_z_error == doctest::Approx(0));
    CHECK(summary.pareto_k == -kInfinity);
  }
}

TEST_CASE("the mean weight and the effective share of weights of any size") {
  CHECK(log_mean_weight(std::vector<double>{900, 900 + std::log(3.0)}) ==
        doctest::Approx(900 + std::log(2.0)));
  CHECK(ess_fraction(std::vector<double>{-900, -kInfinity}) == doctest::Approx(0.5));
  CHECK(ess_fraction(std::vector<double>{0, std::log(2.0), std::log(3.0)}) ==
        doctest::Approx(36.0 / 14 / 3));
  const std::vector<double> dead(2, -kInfinity);
  CHECK(log_mean_weight(dead) == -kInfinity);
  CHECK(ess_fraction(dead) == 0);
  CHECK_THROWS_WITH_AS(relative_weights(dead), doctest::Contains("all 2 log weights"), Error);
  CHECK(relative_weights(std::vector<double>{-900, -900 + std::log(0.25)})[1] ==
        doctest::Approx(0.25));
  CHECK_THROWS_AS(log_mean_weight({}), Error);
}

TEST_CASE("figures of four weights equal those by hand") {
  const std::vector<double> log_weights{std::log(1.0), -kInfinity, std::log(2.0), std::log(5.0)};
  const WeightSummary summary = summarise_weights(log_weights);
  CHECK(summary.zero_count == 1);
  CHECK(summary.ess == doctest::Approx(64.0 / 30));
  CHECK(summary.largest_share == doctest::Approx(5.0 / 8));
  CHECK(summary.log_z == doctest::Approx(std::log(2.0)));
  // Mean 2, sample variance (1 + 4 + 0 + 9)/3.
  CHECK(summary.log_z_error == doctest::Approx(std::sqrt(14.0 / 3 / 4) / 2));
  CHECK(std::isnan(summary.pareto_k));
  const std::vector<double> weights = normalised_weights(log_weights);
  CHECK(weights[1] == 0);
  CHECK(weights[2] == doctest::Approx(0.25));
}

TEST_CASE("one sample is worth one, without an error estimate") {
  const WeightSummary summary = summarise_weights(std::vector{-3.0});
  CHECK(summary.ess == 1);
  CHECK(summary.log_z == -3);
  CHECK(std::isnan(summary.log_z_error));
}

TEST_CASE("weights that all but one underflow have an infinite k") {
  std::vector<double> log_weights(1000);
  for (std::size_t i = 0; i < 1000; ++i) log_weights[i] = -1000.0 * static_cast<double>(i);
  const WeightSummary summary = summarise_weights(log_weights);
  CHECK(summary.pareto_k == kInfinity);
  CHECK(summary.ess == doctest::Approx(1));
}

TEST_CASE("bad weights are refused with their index") {
  CHECK_THROWS_WITH_AS(normalised_weights(std::vector{0.0, 1.0, kNaN}),
                       "expected a finite log weight or -infinity, found nan at index 2", Error);
  CHECK_THROWS_AS(normalised_weights(std::vector{kInfinity}), Error);
  CHECK_THROWS_AS(normalised_weights(std::vector{-kInfinity, -kInfinity}), Error);
  CHECK_THROWS_AS(normalised_weights(std::vector<double>{}), Error);
  CHECK_THROWS_AS(trim_largest(std::vector{0.0}, 1.0), Error);
}

TEST_CASE("trimming sets the largest weights to zero and nothing else") {
  const std::vector<double> log_weights{3, 1, 4, -kInfinity, 5, 9};
  CHECK(trim_largest(log_weights, 0) == log_weights);
  CHECK(trim_largest(log_weights, 0.2) ==
        std::vector<double>{3, 1, 4, -kInfinity, -kInfinity, -kInfinity});
  CHECK(trim_largest(log_weights, 0.01) == std::vector<double>{3, 1, 4, -kInfinity, 5, -kInfinity});
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("golden");

TEST_CASE("k-hat equals that of arviz") {
  const std::filesystem::path folder = std::filesystem::path(ARBG_GOLDEN_DIR) / "metrics";
  const std::vector<double> log_weights = read_npy(folder / "log_weights.npy").data;
  const Json expected = Json::parse(read_file(folder / "expected.json"), "expected.json");
  CHECK(pareto_k(log_weights) == doctest::Approx(expected.at("pareto_k").number()).epsilon(1e-10));
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

TEST_CASE("k-hat finds the shape of a Pareto tail") {
  // The standard error of the maximum-likelihood shape is (1 + k)/sqrt(tail size); the prior moves
  // it by a part in tail size / 10 towards 0.5.
  const std::size_t n = 40000;
  const double tail = 3 * std::sqrt(static_cast<double>(n));
  for (const double k : {0.2, 0.5, 0.8, 1.2}) {
    CAPTURE(k);
    const double expected = (tail * k + 5) / (tail + 10);
    const double found = pareto_k(pareto_log_weights(k, n, static_cast<std::uint64_t>(10 * k)));
    CHECK(std::fabs(found - expected) < 3 * (1 + k) / std::sqrt(tail));
  }
}

TEST_CASE("log Z of a Gaussian proposal lies within its standard error") {
  // pi~ = exp(-x^2/2), Z = sqrt(2 pi); q a normal of width 1.3 and mean 0.2.
  const Random random(17, 18);
  std::vector<double> log_weights;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    for (const double z : random.normal_pair(i)) {
      const double x = 0.2 + 1.3 * z;
      log_weights.push_back(-x * x / 2 + z * z / 2 + std::log(1.3 * std::sqrt(2 * M_PI)));
    }
  }
  const WeightSummary summary = summarise_weights(log_weights);
  CHECK(std::fabs(summary.log_z - std::log(std::sqrt(2 * M_PI))) < 3 * summary.log_z_error);
  CHECK(summary.log_z_error < 0.02);
}

TEST_SUITE_END();
