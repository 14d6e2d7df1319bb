// The lane functions against the C library and the scalar generator.
#include "tensor/base/simd.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "tensor/base/random.h"
#include "tensor/base/random_lanes.h"

using namespace arbg;

namespace {

// Calls check(x) on lanes that together cover [low, high] densely and at random places.
template <class T, class Check>
void sweep(T low, T high, Check check) {
  const Random random(7, stream_id("simd sweep"));
  for (std::uint64_t index = 0; index < 32000;) {
    Lanes<T> x;
    for (int l = 0; l < kLaneCount<T>; ++l) {
      const double u = random.uniform(index++);
      x[l] = low + (high - low) * static_cast<T>(u);
    }
    check(x);
  }
}

// The largest of |value - expected| / scale over the lanes.
template <class T, class Expected>
double worst_error(const Lanes<T>& value, const Lanes<T>& x, Expected expected, bool relative) {
  double worst = 0;
  for (int l = 0; l < kLaneCount<T>; ++l) {
    const double truth = expected(static_cast<double>(x[l]));
    const double error =
        std::abs(static_cast<double>(value[l]) - truth) / (relative ? std::abs(truth) : 1.0);
    if (!(error <= worst)) worst = error;  // NaN counts as the worst
  }
  return worst;
}

template <class T>
void check_exp_and_log(double exp_tolerance, double log_tolerance) {
  double worst_exp = 0, worst_log = 0;
  sweep<T>(T(-80), T(80), [&](const Lanes<T>& x) {
    worst_exp =
        std::max(worst_exp, worst_error<T>(
                                exp_lanes(x), x, [](double v) { return std::exp(v); }, true));
    const Lanes<T> positive = exp_lanes(x);
    for (int l = 0; l < kLaneCount<T>; ++l) {
      const double truth = std::log(static_cast<double>(positive[l]));
      const double error =
          std::abs(static_cast<double>(log_lanes(positive)[l]) - truth) / (1 + std::abs(truth));
      worst_log = std::max(worst_log, error);
    }
  });
  CHECK(worst_exp < exp_tolerance);
  CHECK(worst_log < log_tolerance);
}

template <class T>
void check_atan2(double tolerance) {
  double worst = 0;
  sweep<T>(T(-std::numbers::pi), T(std::numbers::pi), [&](const Lanes<T>& angle) {
    Lanes<T> x, y;
    for (int l = 0; l < kLaneCount<T>; ++l) {
      x[l] = T(0.3) * std::cos(angle[l]);
      y[l] = T(0.3) * std::sin(angle[l]);
    }
    const Lanes<T> found = atan2_lanes<T>(y, x);
    for (int l = 0; l < kLaneCount<T>; ++l) {
      const double truth = std::atan2(static_cast<double>(y[l]), static_cast<double>(x[l]));
      const double error = std::abs(static_cast<double>(found[l]) - truth);
      if (!(error <= worst)) worst = error;
    }
  });
  CHECK(worst < tolerance);
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("lanes are joined by halving, whatever stands in them") {
    constexpr std::size_t kCount = kLaneCount<float>;
    const Random random(8, stream_id("join"));
    for (std::uint64_t row = 0; row < 100; ++row) {
      Lanes<float> x;
      std::vector<float> sum;
      for (std::size_t l = 0; l < kCount; ++l) {
        x[l] = static_cast<float>(std::log(random.uniform(row * kCount + l)));
        sum.push_back(x[l]);
      }
      CHECK(max_lanes(x) == *std::max_element(sum.begin(), sum.end()));
      for (; sum.size() > 1; sum.resize(sum.size() / 2)) {
        for (std::size_t l = 0; l < sum.size() / 2; ++l) sum[l] += sum[l + sum.size() / 2];
      }
      CHECK(sum_lanes(x) == sum[0]);
    }
    Lanes<double> whole;
    for (int l = 0; l < kLaneCount<double>; ++l) whole[l] = l - 7;
    CHECK(sum_lanes(whole) == kLaneCount<double> * (kLaneCount<double> - 15) / 2.0);
    CHECK(max_lanes(whole) == kLaneCount<double> - 8);
  }

  TEST_CASE("a set lane is found wherever it stands") {
    CHECK_FALSE(any_lane(LaneMask<float>{}));
    CHECK_FALSE(any_lane(LaneMask<double>{}));
    for (int l = 0; l < kLaneCount<float>; ++l) {
      Lanes<float> x{};
      x[l] = 1;
      CHECK(any_lane(x > 0.5f));
    }
    for (int l = 0; l < kLaneCount<double>; ++l) {
      Lanes<double> x{};
      x[l] = 1;
      CHECK(any_lane(x > 0.5));
    }
  }

  TEST_CASE("broadcast keeps the sign of zero, and NaN") {
    CHECK(std::signbit(broadcast(-0.0f)[1]));
    CHECK_FALSE(std::signbit(broadcast(0.0)[1]));
    CHECK(std::isnan(broadcast(std::numeric_limits<double>::quiet_NaN())[1]));
  }

  TEST_CASE("exp and log keep the accuracy their comments promise") {
    check_exp_and_log<float>(2e-7, 2e-7);
    check_exp_and_log<double>(4e-16, 4e-16);
  }

  TEST_CASE("exp saturates to zero and infinity and lets NaN pass") {
    const float inf = std::numeric_limits<float>::infinity();
    const auto exp_of = [](float x) { return exp_lanes(broadcast(x))[0]; };
    CHECK(exp_of(-200.0f) == 0.0f);
    CHECK(exp_of(200.0f) == inf);
    CHECK(std::isnan(exp_of(std::numeric_limits<float>::quiet_NaN())));
    CHECK(exp_of(-inf) == 0.0f);
    CHECK(exp_of(inf) == inf);
    CHECK(exp_of(0.0f) == 1.0f);
  }

  TEST_CASE("atan2 covers every quadrant, the axes and the diagonal") {
    check_atan2<float>(4e-7);
    check_atan2<double>(1e-15);
    const double places[8][2] = {{0, 1},  {1, 1},   {1, 0},  {1, -1},
                                 {0, -1}, {-1, -1}, {-1, 0}, {-1, 1}};
    for (const auto& [y, x] : places) {
      const Lanes<double> angle = atan2_lanes<double>(broadcast(y), broadcast(x));
      CHECK(angle[0] == doctest::Approx(std::atan2(y, x)).epsilon(1e-15));
    }
  }

  TEST_CASE("acos keeps its accuracy up to both ends, and beyond them by rounding") {
    double worst = 0;
    sweep<float>(-1.0f, 1.0f, [&](const Lanes<float>& x) {
      const auto truth = [](double v) { return std::acos(v); };
      worst = std::max(worst, worst_error<float>(acos_lanes(x), x, truth, false));
    });
    CHECK(worst < 5e-7);
    const auto acos_of = [](float x) { return acos_lanes(broadcast(x))[0]; };
    CHECK(acos_of(1.0f) == 0.0f);
    CHECK(acos_of(1.0000001f) == 0.0f);
    CHECK(acos_of(-1.0000001f) == static_cast<float>(std::numbers::pi));
    CHECK(std::isnan(acos_of(std::numeric_limits<float>::quiet_NaN())));
  }

  TEST_CASE("inverse square roots of numbers of any size, and NaN") {
    double worst = 0;
    sweep<float>(-85.0f, 85.0f, [&](const Lanes<float>& logarithm) {
      const Lanes<float> x = exp_lanes(logarithm);
      const auto truth = [](double v) { return 1 / std::sqrt(v); };
      worst = std::max(worst, worst_error<float>(inverse_sqrt_lanes(x), x, truth, true));
    });
    CHECK(worst < 2e-7);
    CHECK(std::isnan(inverse_sqrt_lanes(broadcast(std::numeric_limits<float>::quiet_NaN()))[0]));
  }

  TEST_CASE("sine and cosine of turns") {
    double worst = 0;
    sweep<float>(-3.0f, 3.0f, [&](const Lanes<float>& u) {
      Lanes<float> s, c;
      sincos_turns(u, s, c);
      worst = std::max(
          worst, worst_error<float>(
                     s, u, [](double v) { return std::sin(2 * std::numbers::pi * v); }, false));
      worst = std::max(
          worst, worst_error<float>(
                     c, u, [](double v) { return std::cos(2 * std::numbers::pi * v); }, false));
    });
    CHECK(worst < 2e-7);
  }

  TEST_CASE("Philox in lanes gives the words of the scalar generator") {
    std::array<std::uint64_t, kLaneCount<float>> streams;
    for (std::size_t l = 0; l < streams.size(); ++l) streams[l] = stream_id("lane", l);
    for (const std::uint64_t index : {0ull, 1ull, 0x123456789abcdefull}) {
      const LaneBlock block = philox_lanes(0xfeedbeef12345678u, LaneStreams(streams), index);
      for (int l = 0; l < kLaneCount<float>; ++l) {
        const auto words =
            Random(0xfeedbeef12345678u, streams[static_cast<std::size_t>(l)]).block(index);
        for (int w = 0; w < 4; ++w) CHECK(block.word[w][l] == words[static_cast<std::size_t>(w)]);
      }
    }
  }
}

TEST_SUITE("statistical") {
  TEST_CASE("normals in lanes have the moments of a standard normal, within four standard errors") {
    std::array<std::uint64_t, kLaneCount<float>> streams;
    for (std::size_t l = 0; l < streams.size(); ++l) streams[l] = stream_id("normals", l);
    const LaneStreams lanes(streams);
    double moment[5] = {}, product = 0;
    for (std::uint64_t index = 0; index < 160000 / streams.size(); ++index) {
      const LaneBlock block = philox_lanes(11, lanes, index);
      Lanes<float> a, b;
      normals_from_words(block.word[0], block.word[1], a, b);
      for (int l = 0; l < kLaneCount<float>; ++l) {
        const double x = static_cast<double>(a[l]), y = static_cast<double>(b[l]);
        double x_power = 1, y_power = 1;
        for (int k = 0; k < 5; ++k, x_power *= x, y_power *= y) moment[k] += x_power + y_power;
        product += x * y;
      }
    }
    const double n = moment[0];
    CHECK(std::abs(moment[1] / n) < 4 * std::sqrt(1 / n));
    CHECK(std::abs(moment[2] / n - 1) < 4 * std::sqrt(2 / n));
    CHECK(std::abs(moment[3] / n) < 4 * std::sqrt(15 / n));
    CHECK(std::abs(moment[4] / n - 3) < 4 * std::sqrt(96 / n));
    CHECK(std::abs(product / (n / 2)) < 4 * std::sqrt(2 / n));
  }
}
