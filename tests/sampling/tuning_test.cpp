#include "sampling/proposals/tuning.h"

#include <doctest/doctest.h>

#include <cmath>

#include "metrics/weights/weights.h"
#include "tensor/base/random.h"
#include "tests/sampling/small_generators.h"

namespace arbg::sampling {
namespace {

// log w of n samples of a normal whose deviation is `tau` times that of the network's, a standard
// normal; the target has deviation `target`.
std::vector<double> normal_log_weights(std::size_t n, double tau, double target,
                                       const Random& random, std::size_t first = 0) {
  std::vector<double> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double x = tau * random.normal_pair(first + i)[0];
    out[i] = -x * x / (2 * target * target) + x * x / (2 * tau * tau) + std::log(tau / target);
  }
  return out;
}

TEST_SUITE_BEGIN("fast");

TEST_CASE("the effective fraction is that of the weights' summary, and mirrored samples count") {
  const Random random(1, 2);
  auto log_w = normal_log_weights(400, 1.1, 1, random);
  log_w[7] = -INFINITY;
  CHECK(effective_fraction(1, log_w).ess_fraction ==
        doctest::Approx(metrics::summarise_weights(log_w).ess_fraction).epsilon(1e-12));
  CHECK(effective_fraction(1, std::vector<double>(40, -INFINITY)).ess_fraction == 0);
  CHECK_THROWS_WITH(effective_fraction(1, std::vector<double>(41, 0.0)),
                    doctest::Contains("20 batches of equal size, found 41"));
}

// exp(-(t - top)^2 / (2 0.1^2)), the values of which at `but` are `factor` times that.
std::vector<TemperaturePoint> bell(double top, double but = 0, double factor = 1,
                                   double relative_error = 0.05) {
  std::vector<TemperaturePoint> curve;
  for (int percent = 90; percent <= 110; percent += 2) {
    const double t = percent / 100.0, value = std::exp(-50 * (t - top) * (t - top));
    const bool odd = std::abs(t - but) < 1e-9;
    curve.push_back(
        {t, odd ? factor * value : value, value * (odd ? 0.9 * factor : relative_error)});
  }
  return curve;
}

TEST_CASE("the top of a parabola is found, one outlier with its large error does not decide") {
  CHECK(best_temperature(bell(1.03)) == 1.03);
  CHECK(best_temperature(bell(0.95)) == 0.95);
  CHECK(best_temperature(bell(1.03, 1.02, 0.3)) == doctest::Approx(1.03).epsilon(0.011));
  CHECK(best_temperature(bell(1.2)) == 1.1);  // the end nearest to it
  std::vector<TemperaturePoint> valley{{0.9, 0.5, 0}, {1.0, 0.4, 0}, {1.1, 0.4, 0}};
  CHECK(best_temperature(valley) == 0.9);
  CHECK_THROWS_WITH(best_temperature({}), doctest::Contains("found 0"));
}

TEST_CASE("truncation alone is refused, with full support it is not") {
  const auto m = chain(3, 0.012, 0.4);
  const auto generator = three_atoms(8, nn::Backend::cpu);
  const Target target(m.topology, m.system, kTemperature);
  Decoding decoding;
  decoding.top_p = 0.9;
  CHECK_THROWS_WITH(tune_temperature(generator, target, decoding, 40, 1),
                    doctest::Contains("add --full-support"));
  decoding.full_support = 0.1;
  std::vector<double> shares, temperatures;
  const auto tuning =
      tune_temperature(generator, target, decoding, 40, 1, [&](double done, double temperature) {
        shares.push_back(done);
        temperatures.push_back(temperature);
      });
  REQUIRE(tuning.curve.size() == 11);
  REQUIRE(shares.size() == 11);
  for (std::size_t i = 0; i < 11; ++i) {
    CHECK(shares[i] == doctest::Approx(static_cast<double>(i + 1) / 11));
    CHECK(temperatures[i] == tuning.curve[i].temperature);
  }
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

TEST_CASE("the jackknife error is the scatter of independent repetitions") {
  constexpr std::size_t kSize = 2000, kRepetitions = 200;
  const Random random(3, 4);
  double mean = 0, squares = 0, error = 0;
  for (std::size_t r = 0; r < kRepetitions; ++r) {
    const auto point = effective_fraction(1, normal_log_weights(kSize, 1.2, 1, random, r * kSize));
    mean += point.ess_fraction / kRepetitions;
    squares += point.ess_fraction * point.ess_fraction / kRepetitions;
    error += point.error / kRepetitions;
  }
  // A deviation of 200 repetitions has a relative standard error of 5 %.
  CHECK(error == doctest::Approx(std::sqrt(squares - mean * mean)).epsilon(4 * 0.05));
}

TEST_CASE("a target broader than the network asks for the temperature that matches it") {
  constexpr double kTarget = 1.04;
  std::vector<TemperaturePoint> curve;
  for (int percent = 90; percent <= 110; percent += 2) {
    const double tau = percent / 100.0;
    curve.push_back(effective_fraction(tau, normal_log_weights(2000, tau, kTarget, Random(5, 6))));
  }
  // At tau the fraction is 1 - O((tau - target)^2), the same random numbers at all of them.
  CHECK(std::abs(best_temperature(curve) - kTarget) < 0.021);
}

TEST_SUITE_END();

}  // namespace
}  // namespace arbg::sampling
