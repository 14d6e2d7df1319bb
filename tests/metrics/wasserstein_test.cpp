// Transport distances against closed forms, brute force and another program.
#include "metrics/transport/wasserstein.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numbers>
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

constexpr double kPi = std::numbers::pi;
const std::filesystem::path kGolden = std::filesystem::path(ARBG_GOLDEN_DIR) / "metrics";

std::vector<double> uniform_angles(std::size_t count, std::uint64_t stream) {
  const Random random(7, stream);
  std::vector<double> angles(count);
  for (std::size_t i = 0; i < count; ++i) angles[i] = kPi * (2 * random.uniform(i) - 1);
  return angles;
}

double brute_force_torus(const std::vector<double>& a, const std::vector<double>& b,
                         std::size_t dimension) {
  const std::size_t n = a.size() / dimension;
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  double best = std::numeric_limits<double>::infinity();
  do {
    double cost = 0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t d = 0; d < dimension; ++d) {
        const double apart = wrapped_difference(a[i * dimension + d], b[order[i] * dimension + d]);
        cost += apart * apart;
      }
    }
    best = std::min(best, cost / static_cast<double>(n));
  } while (std::next_permutation(order.begin(), order.end()));
  return std::sqrt(best);
}

double golden(const char* name) {
  return Json::parse(read_file(kGolden / "expected.json"), "expected.json").at(name).number();
}

std::vector<double> golden_array(const char* name) { return read_npy(kGolden / name).data; }

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("wrapped differences take the short way round") {
  CHECK(wrapped_difference(0.5, 0.2) == doctest::Approx(0.3));
  CHECK(wrapped_difference(kPi - 0.1, -kPi + 0.1) == doctest::Approx(-0.2));
  CHECK(wrapped_difference(-3.0, 3.0) == doctest::Approx(2 * kPi - 6));
  CHECK(wrapped_difference(0.1 + 20 * kPi, 0.3) == doctest::Approx(-0.2));
  CHECK(std::fabs(wrapped_difference(kPi, 0)) == doctest::Approx(kPi));
}

TEST_CASE("on the line a shift costs the shift and a stretch costs its standard deviation") {
  const std::vector<double> x{3, -1, 2, 8}, shifted{10, 1, 5, 4}, stretched{6, -2, 4, 16};
  CHECK(wasserstein2_line(x, shifted) == doctest::Approx(2.0));
  CHECK(wasserstein2_line(x, stretched) == doctest::Approx(std::sqrt((9.0 + 1 + 4 + 64) / 4)));
  CHECK(wasserstein2_line(x, x) == 0);
}

TEST_CASE("on the line weights mean copies") {
  const std::vector<double> values{1, 5, 2}, weights{2, 1, 3}, copies{1, 1, 5, 2, 2, 2};
  const std::vector<double> other{0.5, 7}, equal{1, 1};
  CHECK(wasserstein2_line(values, weights, other, equal) ==
        doctest::Approx(wasserstein2_line(copies, other)));
  const std::vector<double> with_dead{1, 5, 2, std::numeric_limits<double>::infinity()},
      dead{2, 1, 3, 0};
  CHECK(wasserstein2_line(with_dead, dead, other, equal) ==
        wasserstein2_line(values, weights, other, equal));
}

TEST_CASE("torus transport equals the best of all permutations") {
  for (const std::size_t n : {1u, 2u, 3u, 5u, 7u}) {
    for (const std::size_t dimension : {1u, 2u, 3u}) {
      CAPTURE(n);
      CAPTURE(dimension);
      const auto a = uniform_angles(n * dimension, 2 * n),
                 b = uniform_angles(n * dimension, 2 * n + 1);
      CHECK(wasserstein2_torus(a, b, dimension).distance ==
            doctest::Approx(brute_force_torus(a, b, dimension)).epsilon(1e-12));
    }
  }
}

TEST_CASE("the lower bound proves the assignment optimal") {
  for (const std::size_t n : {1u, 9u, 64u, 401u}) {
    for (const std::size_t dimension : {1u, 2u, 6u}) {
      CAPTURE(n);
      CAPTURE(dimension);
      const auto result = wasserstein2_torus(uniform_angles(n * dimension, 11),
                                             uniform_angles(n * dimension, 12), dimension);
      CHECK(result.distance > 0);
      CHECK(result.lower_bound <= result.distance * (1 + 1e-12));
      CHECK(result.lower_bound >= result.distance * (1 - 1e-12));
    }
  }
}

TEST_CASE("in one dimension transport in space equals transport on the line") {
  const auto a = uniform_angles(200, 1), b = uniform_angles(200, 2);
  CHECK(wasserstein2_space(a, b, 1).distance ==
        doctest::Approx(wasserstein2_line(a, b)).epsilon(1e-12));
}

TEST_CASE("a rigid turn across the cut costs the turn, and order does not matter") {
  auto a = uniform_angles(60, 21);
  for (double& x : a) x = kPi + 0.3 * x / kPi;  // a narrow cloud on the cut
  std::vector<double> b(a.rbegin(), a.rend());
  for (double& x : b) x = wrapped_difference(x + 0.25, 0);
  CHECK(wasserstein2_torus(a, b, 1).distance == doctest::Approx(0.25).epsilon(1e-12));
}

TEST_CASE("the floor compares the first half with the second") {
  const std::vector<double> reference{1, 2, 2, 4, 99};
  CHECK(floor_line(reference) == doctest::Approx(std::sqrt((1.0 + 4) / 2)));
  const std::vector<double> points{0, 0, 1, 1, 0, 3, 1, 5};
  CHECK(floor_space(points, 2).distance ==
        doctest::Approx(std::sqrt((9.0 + 16) / 2)).epsilon(1e-6));
  const std::vector<double> angles{3.0, -3.0, -3.1, 3.1};
  CHECK(floor_torus(angles, 1).distance ==
        doctest::Approx(
            wasserstein2_torus(std::vector{3.0, -3.0}, std::vector{-3.1, 3.1}, 1).distance));
}

TEST_CASE("bad input is refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> none, one{1}, two{1, 2}, bad{1, nan}, negative{1, -1}, zero{0, 0};
  CHECK_THROWS_AS(wasserstein2_line(none, one), Error);
  CHECK_THROWS_WITH_AS(wasserstein2_line(bad, two), "expected a finite value, found nan at index 1",
                       Error);
  CHECK_THROWS_AS(wasserstein2_line(two, negative, two, two), Error);
  CHECK_THROWS_AS(wasserstein2_line(two, zero, two, two), Error);
  CHECK_THROWS_AS(wasserstein2_torus(one, two, 1), Error);
  CHECK_THROWS_AS(wasserstein2_torus(two, two, 0), Error);
  CHECK_THROWS_AS(wasserstein2_torus(none, none, 1), Error);
  CHECK_THROWS_WITH_AS(wasserstein2_torus(two, bad, 1),
                       "expected a finite coordinate, found nan in point 1, coordinate 0", Error);
  const std::vector<double> huge{1, 1e200};
  CHECK_THROWS_AS(wasserstein2_space(huge, two, 1), Error);
  CHECK_THROWS_AS(floor_line(one), Error);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("golden");

TEST_CASE("distances equal those of POT") {
  const auto a = golden_array("torus_a.npy"), b = golden_array("torus_b.npy");
  CHECK(wasserstein2_torus(a, b, 4).distance == doctest::Approx(golden("torus_w2")).epsilon(1e-12));
  CHECK(wasserstein2_space(a, b, 4).distance == doctest::Approx(golden("space_w2")).epsilon(1e-12));
  const auto x = golden_array("line_x.npy"), y = golden_array("line_y.npy");
  const auto wx = golden_array("line_weights_x.npy"), wy = golden_array("line_weights_y.npy");
  CHECK(wasserstein2_line(x, y) == doctest::Approx(golden("line_w2")).epsilon(1e-12));
  CHECK(wasserstein2_line(x, wx, y, wy) ==
        doctest::Approx(golden("line_w2_weighted")).epsilon(1e-12));
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

TEST_CASE(
    "the distance of two Gaussians is sqrt((difference of means)^2 + (difference of widths)^2)") {
  // For n samples the error of the estimate is near sqrt((s1^2 + s2^2)/n) times the share of the
  // mean shift in it.
  const std::size_t n = 20000;
  const Random random(5, 6);
  std::vector<double> a(n), b(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto z = random.normal_pair(i);
    a[i] = 1 + 2 * z[0];
    b[i] = 4 + 3 * z[1];
  }
  const double standard_error = std::sqrt((4.0 + 9.0) / static_cast<double>(n));
  CHECK(std::fabs(wasserstein2_line(a, b) - std::sqrt(10.0)) < 4 * standard_error);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("slow");

TEST_CASE("two thousand points whose basins differ in weight are matched exactly") {
  const std::size_t n = 2000;
  const Random random(8, 9);
  std::vector<double> a(2 * n), b(2 * n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto za = random.normal_pair(2 * i), zb = random.normal_pair(2 * i + 1);
    const bool basin_a = i < 1200, basin_b = i < 1000;
    a[2 * i] = (basin_a ? -1.2 : -2.5) + 0.35 * za[0];
    a[2 * i + 1] = (basin_a ? -0.5 : 2.7) + 0.45 * za[1];
    b[2 * i] = (basin_b ? -1.2 : -2.5) + 0.35 * zb[0];
    b[2 * i + 1] = (basin_b ? -0.5 : 2.7) + 0.45 * zb[1];
  }
  const auto result = wasserstein2_torus(a, b, 2);
  CHECK(result.lower_bound >= result.distance * (1 - 1e-12));
  // At least a tenth of the mass must cross between basins, some 3 radians apart.
  CHECK(result.distance > 0.5);
}

TEST_SUITE_END();
