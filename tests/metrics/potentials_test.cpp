// What points add to a distance: sums of potentials are distances, bounds of others, and scatter as
// distances do.
#include "metrics/statistics/potentials.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "metrics/statistics/bootstrap.h"
#include "metrics/statistics/histogram.h"
#include "metrics/transport/wasserstein.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"

using namespace arbg;
using namespace arbg::metrics;

namespace {

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double dot(const std::vector<double>& mass, const std::vector<double>& of_cell) {
  return std::inner_product(mass.begin(), mass.end(), of_cell.begin(), 0.0);
}

// Normal numbers [n] of this seed and side, around a middle.
std::vector<double> normal(std::uint64_t seed, std::uint64_t side, std::size_t n, double middle) {
  const Random random(seed, side);
  std::vector<double> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(middle + random.normal_pair(i)[0]);
  return out;
}

std::vector<double> in_cells(const std::vector<double>& values, Potentials* of_cells, bool first) {
  const auto edges = uniform_edges(-6, 6, 24);
  std::vector<double> out(24);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t cell = *bin_of(values[i], edges, i);
    if (of_cells == nullptr)
      out[cell] += 1;
    else if (i == 0)
      out.assign(1, (first ? of_cells->a : of_cells->b)[cell]);
    else
      out.push_back((first ? of_cells->a : of_cells->b)[cell]);
  }
  return out;
}

using OfPoints = Potentials(const std::vector<double>& a, const std::vector<double>& b);

Potentials of_line(const std::vector<double>& a, const std::vector<double>& b) {
  return line_potentials(a, b);
}

Potentials of_torus(const std::vector<double>& a, const std::vector<double>& b) {
  return wasserstein2_torus(a, b, 2).potentials;
}

Potentials of_divergence(const std::vector<double>& a, const std::vector<double>& b) {
  auto cells = divergence_potentials(in_cells(a, nullptr, true), in_cells(b, nullptr, false));
  return {in_cells(a, &cells, true), in_cells(b, &cells, false)};
}

Potentials of_variation(const std::vector<double>& a, const std::vector<double>& b) {
  auto cells = variation_potentials(in_cells(a, nullptr, true), in_cells(b, nullptr, false));
  return {in_cells(a, &cells, true), in_cells(b, &cells, false)};
}

// In how many of the seeds the interval holds the mean of all seeds' distances, as a share.
double coverage(OfPoints* measure, std::size_t n, double apart) {
  constexpr std::uint64_t kSeeds = 400;
  std::vector<double> found;
  std::vector<Interval> intervals;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto a = normal(seed, 1, n, apart), b = normal(seed, 2, n, 0);
    auto of = measure(a, b);
    found.push_back(mean(of.a) + mean(of.b));
    for (double& potential : of.b) potential = -potential;
    intervals.push_back(bootstrap_difference(of.a.size(), weighted_mean(of.a, {}), of.b.size(),
                                             weighted_mean(of.b, {}),
                                             {.draws = 400, .seed = seed}));
  }
  const double expected = mean(found);
  return static_cast<double>(std::ranges::count_if(
             intervals, [&](const Interval& one) { return one.contains(expected); })) /
         kSeeds;
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("means of potentials add up to the distance") {
  const auto a = normal(1, 1, 60, 0.4), b = normal(1, 2, 60, 0);
  const auto line = line_potentials(a, b);
  const double w2 = wasserstein2_line(a, b);
  CHECK(mean(line.a) + mean(line.b) == doctest::Approx(w2 * w2));
  const auto torus = wasserstein2_torus(a, b, 3);
  CHECK(mean(torus.potentials.a) + mean(torus.potentials.b) ==
        doctest::Approx(torus.distance * torus.distance));
  const std::vector<double> p{0.1, 0.4, 0, 0.5}, q{0.3, 0, 0.2, 0.5};
  const auto divergence = divergence_potentials(p, q), variation = variation_potentials(p, q);
  CHECK(dot(p, divergence.a) + dot(q, divergence.b) ==
        doctest::Approx(jensen_shannon_divergence(p, q)));
  CHECK(dot(p, variation.a) + dot(q, variation.b) == doctest::Approx(0.4));
}

TEST_CASE("potentials of two samples bound the distance of any other weights of their points") {
  const auto a = normal(2, 1, 40, 0.7), b = normal(2, 2, 40, 0);
  const auto of = line_potentials(a, b);
  for (std::size_t i = 0; i < 40; ++i) {
    for (std::size_t j = 0; j < 40; ++j)
      CHECK(of.a[i] + of.b[j] <= (a[i] - b[j]) * (a[i] - b[j]) + 1e-12);
  }
  const std::vector<double> p{0.1, 0.4, 0.1, 0.4}, q{0.3, 0.1, 0.2, 0.4}, other{0.2, 0.2, 0.3, 0.3};
  const auto cells = divergence_potentials(p, q);
  CHECK(dot(other, cells.a) + dot(q, cells.b) < jensen_shannon_divergence(other, q));
}

TEST_CASE("potentials of nothing, of other sizes and of NaN are refused") {
  const std::vector<double> two{1, 2}, three{1, 2, 3}, none, nan{1, std::nan("")};
  CHECK_THROWS_AS(line_potentials(two, three), Error);
  CHECK_THROWS_AS(line_potentials(none, none), Error);
  CHECK_THROWS_AS(line_potentials(two, nan), Error);
  CHECK_THROWS_AS(divergence_potentials(two, three), Error);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

// 95 % of 400 seeds are 380; the standard error of the share is 0.011.
TEST_CASE("intervals of distances hold their mean over 400 seeds as often as they say") {
  CHECK(coverage(of_line, 200, 0.8) == doctest::Approx(0.95).epsilon(0.035));
  CHECK(coverage(of_torus, 200, 0.8) == doctest::Approx(0.95).epsilon(0.035));
  CHECK(coverage(of_divergence, 200, 0.8) == doctest::Approx(0.95).epsilon(0.035));
  CHECK(coverage(of_variation, 200, 0.8) == doctest::Approx(0.95).epsilon(0.035));
}

TEST_CASE("and more often, never less, where the two sides are one distribution") {
  for (OfPoints* measure : {of_line, of_torus, of_divergence, of_variation})
    CHECK(coverage(measure, 200, 0) > 0.93);
}

TEST_SUITE_END();
