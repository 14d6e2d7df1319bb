// Bennett's ratio on Gaussians, where log Z and the overlap are known.
#include "metrics/weights/bennett.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "metrics/weights/weights.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"

using namespace arbg;
using namespace arbg::metrics;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kLogRootTwoPi = 0.5 * std::log(2 * std::numbers::pi);

// Model N(0, 1); target exp(-(x - shift)^2 / (2 width^2) + log_scale).
struct Gaussians {
  double shift, width, log_scale;

  double log_z() const { return log_scale + std::log(width) + kLogRootTwoPi; }
  double log_weight(double x) const {
    const double y = (x - shift) / width;
    return log_scale - y * y / 2 + x * x / 2 + kLogRootTwoPi;
  }
  std::vector<double> model(std::size_t count, std::uint64_t stream) const {
    std::vector<double> log_weights(count);
    for (std::size_t i = 0; i < count; ++i)
      log_weights[i] = log_weight(Random(23, stream).normal_pair(i)[0]);
    return log_weights;
  }
  std::vector<double> reference(std::size_t count, std::uint64_t stream) const {
    std::vector<double> log_weights(count);
    for (std::size_t i = 0; i < count; ++i) {
      log_weights[i] = log_weight(shift + width * Random(24, stream).normal_pair(i)[0]);
    }
    return log_weights;
  }
};

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("a perfect model gives log Z exactly") {
  const std::vector<double> model(30, 2.5), reference(50, 2.5);
  const BennettEstimate estimate = bennett_log_z(model, reference);
  CHECK(estimate.log_z == doctest::Approx(2.5));
  CHECK(estimate.overlap == doctest::Approx(1));
  CHECK(estimate.error == doctest::Approx(0));
  CHECK(reverse_ess_fraction(reference) == doctest::Approx(1));
}

TEST_CASE("exchanging the sides changes the sign") {
  const Gaussians g{0.5, 0.8, 1};
  const auto model = g.model(40, 1), reference = g.reference(60, 1);
  std::vector<double> swapped_model, swapped_reference;
  for (const double lw : reference) swapped_model.push_back(-lw);
  for (const double lw : model) swapped_reference.push_back(-lw);
  const auto forward = bennett_log_z(model, reference),
             backward = bennett_log_z(swapped_model, swapped_reference);
  CHECK(forward.log_z == doctest::Approx(-backward.log_z));
  CHECK(forward.error == doctest::Approx(backward.error));
}

TEST_CASE("samples outside the other's support count and do not break") {
  // Half the model's samples are outside the target: Z is half of what the others say.
  const std::vector<double> model{0, -kInfinity, 0, -kInfinity}, reference{0, 0, 0, 0};
  const BennettEstimate estimate = bennett_log_z(model, reference);
  // 2 s(-L) = 4 s(L) has the solution exp(L) = 1/2.
  CHECK(estimate.log_z == doctest::Approx(std::log(0.5)));
  const std::vector<double> half_missed{0, kInfinity, 0, kInfinity};
  CHECK(bennett_log_z(std::vector<double>(4, 0.0), half_missed).log_z ==
        doctest::Approx(std::log(2.0)));
  CHECK(reverse_ess_fraction(half_missed) == 0);
}

TEST_CASE("bad input is refused") {
  const std::vector<double> fine{0, 1}, dead{-kInfinity}, none, missed{kInfinity};
  const std::vector<double> bad{0, std::numeric_limits<double>::quiet_NaN()};
  CHECK_THROWS_AS(bennett_log_z(none, fine), Error);
  CHECK_THROWS_AS(bennett_log_z(fine, none), Error);
  CHECK_THROWS_AS(bennett_log_z(dead, fine), Error);
  CHECK_THROWS_AS(bennett_log_z(fine, missed), Error);
  CHECK_THROWS_AS(bennett_log_z(fine, dead), Error);
  CHECK_THROWS_WITH_AS(bennett_log_z(fine, bad),
                       "expected a finite reference log weight or inf, found nan at index 1",
                       Error);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

TEST_CASE("log Z of Gaussians lies within the stated error, which is the scatter of repetitions") {
  const Gaussians g{1.0, 0.7, -3};
  const int repetitions = 60;
  double squares = 0, total = 0, stated = 0;
  for (int r = 0; r < repetitions; ++r) {
    const auto stream = static_cast<std::uint64_t>(r);
    const BennettEstimate estimate = bennett_log_z(g.model(1500, stream), g.reference(500, stream));
    const double deviation = (estimate.log_z - g.log_z()) / estimate.error;
    total += deviation;
    squares += deviation * deviation;
    stated += estimate.error;
  }
  // Deviations in units of the stated error: mean 0 +- 1/sqrt(60), mean square 1 +- sqrt(2/60).
  CHECK(std::fabs(total / repetitions) < 3 / std::sqrt(60.0));
  CHECK(std::fabs(squares / repetitions - 1) < 3 * std::sqrt(2 / 60.0));
  CHECK(stated / repetitions < 0.1);
}

TEST_CASE("the reverse effective sample size agrees with the forward one for a broad model") {
  // 1 / E_p[w/Z] with p = N(m, s^2), q = N(0, 1): closed form of a Gaussian integral.
  const double m = 0.5, s = 0.6, s2 = s * s;
  const double expected = s * std::sqrt(2 - s2) * std::exp(-m * m / (2 - s2));
  const Gaussians g{m, s, 2};
  CHECK(reverse_ess_fraction(g.reference(40000, 5)) == doctest::Approx(expected).epsilon(0.02));
  CHECK(summarise_weights(g.model(40000, 5)).ess_fraction ==
        doctest::Approx(expected).epsilon(0.02));
}

TEST_SUITE_END();
