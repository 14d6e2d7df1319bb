// Histograms conserve mass; the divergence has its known ends and middle.
#include "metrics/statistics/histogram.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "tensor/base/error.h"

using namespace arbg;
using namespace arbg::metrics;

namespace {
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("values fall in half-open bins, the last one closed") {
  const std::vector<double> values{0, 1, 1, 1.9, 2, 3, -0.1, 3.1, kInfinity, 0.5};
  const Histogram h = make_histogram(values, {}, {0, 1, 2, 3});
  CHECK(h.mass[0] == doctest::Approx(0.2));
  CHECK(h.mass[1] == doctest::Approx(0.3));
  CHECK(h.mass[2] == doctest::Approx(0.2));
  CHECK(h.outside == doctest::Approx(0.3));
}

TEST_CASE("weights are normalised and densities divide by the width") {
  const Histogram h = make_histogram(std::vector{0.5, 2.0}, std::vector{3.0, 1.0}, {0, 1, 5});
  CHECK(h.mass == std::vector<double>{0.75, 0.25});
  CHECK(h.density() == std::vector<double>{0.75, 0.0625});
}

TEST_CASE(
    "the two-dimensional histogram is row-major in y and marginalises to the one-dimensional one") {
  const std::vector<double> x{0.5, 1.5, 1.5, 0.2}, y{0.5, 0.5, 2.5, 1.5}, weights{1, 2, 4, 8};
  const Histogram2D h = make_histogram_2d(x, y, weights, {0, 1, 2}, {0, 1, 2, 3});
  CHECK(h.mass[0 * 2 + 1] == doctest::Approx(2.0 / 15));
  CHECK(h.mass[2 * 2 + 1] == doctest::Approx(4.0 / 15));
  const Histogram marginal = make_histogram(x, weights, {0, 1, 2});
  CHECK(h.mass[0] + h.mass[2] + h.mass[4] == doctest::Approx(marginal.mass[0]));
  const std::vector<double> free_energy = h.free_energy();
  CHECK(free_energy[1 * 2 + 0] == 0);
  CHECK(free_energy[2 * 2 + 1] == doctest::Approx(std::log(2.0)));
  CHECK(free_energy[2 * 2 + 0] == kInfinity);
}

TEST_CASE("uniform edges hit both ends exactly") {
  const std::vector<double> edges = uniform_edges(-M_PI, M_PI, 72);
  CHECK(edges.size() == 73);
  CHECK(edges.front() == -M_PI);
  CHECK(edges.back() == M_PI);
  CHECK(edges[36] == doctest::Approx(0).epsilon(1e-14));
}

TEST_CASE("the Jensen-Shannon divergence is 0 for equal, 1 for disjoint, symmetric between") {
  static constexpr double p[]{2, 2, 0, 0}, q[]{0, 0, 1, 3}, r[]{1, 1, 0, 0}, s[]{1, 1, 1, 1};
  CHECK(jensen_shannon_divergence(p, r) == 0);
  CHECK(jensen_shannon_divergence(p, q) == doctest::Approx(1));
  CHECK(jensen_shannon_divergence(p, s) == doctest::Approx(jensen_shannon_divergence(s, p)));
  // P = (1/2, 1/2, 0, 0), S uniform, middle (3/8, 3/8, 1/8, 1/8).
  CHECK(jensen_shannon_divergence(p, s) ==
        doctest::Approx(0.5 * std::log2(4.0 / 3) + 0.25 * std::log2(2.0 / 3) + 0.25));
}

TEST_CASE("bad input is refused") {
  const std::vector<double> one{1};
  CHECK_THROWS_AS(make_histogram(one, {}, {1}), Error);
  CHECK_THROWS_AS(make_histogram(one, {}, {1, 1}), Error);
  CHECK_THROWS_AS(make_histogram(one, {}, {0, kNaN}), Error);
  CHECK_THROWS_AS(make_histogram(std::vector{0.5, kNaN}, {}, {0, 1}), Error);
  CHECK_THROWS_AS(make_histogram(one, std::vector{-1.0}, {0, 1}), Error);
  CHECK_THROWS_AS(make_histogram(std::vector<double>{}, {}, {0, 1}), Error);
  CHECK_THROWS_AS(make_histogram_2d(one, std::vector{1.0, 2.0}, {}, {0, 1}, {0, 1}), Error);
  CHECK_THROWS_AS(jensen_shannon_divergence(one, std::vector{1.0, 2.0}), Error);
  CHECK_THROWS_AS(jensen_shannon_divergence(one, std::vector{0.0}), Error);
  CHECK_THROWS_AS(uniform_edges(1, 1, 5), Error);
}

TEST_SUITE_END();
