// Assignments between clouds of points: against all permutations, against the textbook's dense
// algorithm, and against the bound that their prices give.
#include "metrics/transport/assignment.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <numeric>
#include <string>
#include <vector>

#include "metrics/transport/priced_points.h"
#include "tensor/base/random.h"
#include "tensor/base/threads.h"

using namespace arbg;
using namespace arbg::metrics;

namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Points = std::vector<double>;
using Matrix = std::vector<std::vector<double>>;

double wrapped(double x) { return std::remainder(x, 2 * kPi); }

Matrix all_costs(const Points& a, const Points& b, std::size_t dimension, Geometry geometry) {
  const std::size_t n = a.size() / dimension;
  Matrix costs(n, std::vector<double>(n, 0.0));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t d = 0; d < dimension; ++d) {
        const double apart = a[i * dimension + d] - b[j * dimension + d];
        const double shorter = geometry == Geometry::kTorus ? wrapped(apart) : apart;
        costs[i][j] += shorter * shorter;
      }
    }
  }
  return costs;
}

double cost_by_permutations(const Matrix& costs) {
  std::vector<std::size_t> order(costs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  double best = kInfinity;
  do {
    double sum = 0;
    for (std::size_t i = 0; i < order.size(); ++i) sum += costs[i][order[i]];
    best = std::min(best, sum);
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

// Kuhn's method in O(n^3): one dense search a row. Column n is where a search starts.
double cost_by_kuhn(const Matrix& costs) {
  const std::size_t n = costs.size();
  std::vector<double> u(n + 1, 0.0), v(n + 1, 0.0);
  std::vector<std::size_t> owner(n + 1, n), from(n + 1, n);
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<double> slack(n, kInfinity);
    std::vector<bool> seen(n + 1, false);
    std::size_t j = n;
    owner[n] = i;
    while (owner[j] != n) {
      seen[j] = true;
      double least = kInfinity;
      std::size_t next = n;
      for (std::size_t k = 0; k < n; ++k) {
        if (seen[k]) continue;
        const double reduced = costs[owner[j]][k] - u[owner[j]] - v[k];
        if (reduced < slack[k]) slack[k] = reduced, from[k] = j;
        if (slack[k] < least) least = slack[k], next = k;
      }
      for (std::size_t k = 0; k <= n; ++k) {
        if (seen[k]) u[owner[k]] += least, v[k] -= least;
        if (!seen[k] && k < n) slack[k] -= least;
      }
      j = next;
    }
    for (; j != n; j = from[j]) owner[j] = owner[from[j]];
  }
  double sum = 0;
  for (std::size_t j = 0; j < n; ++j) sum += costs[owner[j]][j];
  return sum;
}

// Cost of a solution; checks that it is a permutation and that its prices prove it.
double proven_cost(const Matrix& costs, const Assignment& assignment) {
  const std::size_t n = costs.size();
  std::vector<int> taken(n, 0);
  double cost = 0, bound = 0, size = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto column = static_cast<std::size_t>(assignment.column_of_row[i]);
    REQUIRE(column < n);
    ++taken[column];
    cost += costs[i][column];
    double least = kInfinity;
    for (std::size_t j = 0; j < n; ++j)
      least = std::min(least, costs[i][j] - assignment.column_price[j]);
    bound += least + assignment.column_price[i];
    size += std::fabs(least) + std::fabs(assignment.column_price[i]);
  }
  CHECK(std::all_of(taken.begin(), taken.end(), [](int count) { return count == 1; }));
  CHECK(std::fabs(cost - bound) <= 1e-14 * size);
  return cost;
}

Points uniform(std::size_t count, double width, std::uint64_t stream) {
  const Random random(11, stream);
  Points x(count);
  for (std::size_t k = 0; k < count; ++k) x[k] = width * (2 * random.uniform(k) - 1);
  return x;
}

// Clouds [n, D] that differ in what is hard about them; coordinates in [-pi, pi].
Points cloud(const std::string& kind, std::size_t n, std::size_t dimension, std::uint64_t side) {
  const Random random(12, side);
  const auto copy_point = [&](Points& x, std::size_t from, std::size_t to) {
    std::copy_n(x.begin() + static_cast<std::ptrdiff_t>(from * dimension), dimension,
                x.begin() + static_cast<std::ptrdiff_t>(to * dimension));
  };
  Points x = uniform(n * dimension, kPi, side);
  if (kind == "clustered") {  // two basins, the share of the first differs
    for (std::size_t k = 0; k < x.size(); ++k)
      x[k] = 0.1 * x[k] + (k / dimension < n * (5 + side) / 10 ? -1.0 : 1.5);
  } else if (kind == "apart") {  // each cloud on its own
    for (double& value : x) value = 0.1 * value + (side == 0 ? -1.0 : 1.0);
  } else if (kind == "wrapped") {  // around the cut
    for (double& value : x) value = wrapped(kPi + 0.2 * value);
  } else if (kind == "grid") {  // ties, and copies in few dimensions
    for (double& value : x) value = std::round(2 * value / kPi);
  } else if (kind == "copies") {  // half of the points are one, the rest few
    const auto few = static_cast<std::int64_t>(std::min<std::size_t>(n, 9));
    for (std::size_t i = 0; i < n; ++i)
      copy_point(x, i % 2 == 0 ? 0 : static_cast<std::size_t>(random.below(few, i)), i);
  } else if (kind == "one against many") {
    for (std::size_t i = 0; side == 0 && i < n; ++i) copy_point(x, 0, i);
  } else if (kind == "outlier") {
    for (double& value : x) value *= 1e-5;
    if (side == 0) x[0] = 3;
  } else {
    REQUIRE(kind == "uniform");
  }
  return x;
}

const std::vector<std::string> kKinds{"uniform", "clustered",        "apart",  "wrapped", "grid",
                                      "copies",  "one against many", "outlier"};

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("a few points are matched as by the best of all permutations") {
  for (const Geometry geometry : {Geometry::kTorus, Geometry::kSpace}) {
    for (const std::string& kind : kKinds) {
      for (const std::size_t n : {1u, 2u, 3u, 6u, 7u}) {
        for (const std::size_t dimension : {1u, 2u, 4u}) {
          CAPTURE(kind);
          CAPTURE(n);
          CAPTURE(dimension);
          const Points a = cloud(kind, n, dimension, 0), b = cloud(kind, n, dimension, 1);
          const Matrix costs = all_costs(a, b, dimension, geometry);
          CHECK(proven_cost(costs, match_points(a, b, dimension, geometry)) ==
                doctest::Approx(cost_by_permutations(costs)).epsilon(1e-13));
        }
      }
    }
  }
}

TEST_CASE("more points than a list or a leaf holds are matched as by the dense algorithm") {
  const std::size_t n = 150;
  for (const Geometry geometry : {Geometry::kTorus, Geometry::kSpace}) {
    for (const std::string& kind : kKinds) {
      for (const std::size_t dimension : {1u, 2u, 4u, 18u}) {
        CAPTURE(kind);
        CAPTURE(dimension);
        const Points a = cloud(kind, n, dimension, 0), b = cloud(kind, n, dimension, 1);
        const Matrix costs = all_costs(a, b, dimension, geometry);
        CHECK(proven_cost(costs, match_points(a, b, dimension, geometry)) ==
              doctest::Approx(cost_by_kuhn(costs)).epsilon(1e-13));
      }
    }
  }
}

TEST_CASE("a cloud is matched with itself in another order for nothing") {
  const Points a = cloud("uniform", 500, 2, 0);
  Points b(a.rbegin(), a.rend());
  for (std::size_t i = 0; i < b.size(); i += 2) std::swap(b[i], b[i + 1]);
  const auto assignment = match_points(a, b, 2, Geometry::kTorus);
  for (std::size_t i = 0; i < 500; ++i)
    CHECK(assignment.column_of_row[i] == 499 - static_cast<std::int32_t>(i));
}

TEST_CASE("an assignment and its prices are the same for any thread count") {
  const Points a = cloud("clustered", 300, 2, 0), b = cloud("clustered", 300, 2, 1);
  const int before = thread_count();
  set_thread_count(1);
  const auto one = match_points(a, b, 2, Geometry::kTorus);
  set_thread_count(3);
  const auto three = match_points(a, b, 2, Geometry::kTorus);
  set_thread_count(before);
  CHECK(one.column_of_row == three.column_of_row);
  CHECK(one.column_price == three.column_price);
}

TEST_CASE("the cheapest priced points are those of a full sort") {
  const std::size_t n = 333;
  const Random random(13, 1);
  for (const Geometry geometry : {Geometry::kTorus, Geometry::kSpace}) {
    for (const std::size_t dimension : {1u, 3u}) {
      const Points x = cloud("uniform", n, dimension, 0), y = cloud("uniform", n, dimension, 1);
      const auto order = leaf_order(x, dimension);
      PricedPoints priced(x, dimension, geometry, order);
      const Matrix costs = all_costs(y, x, dimension, geometry);
      for (std::size_t buyer = 0; buyer < n; ++buyer) {
        // One price goes up, another down; a leaf's highest price is among both at times.
        priced.set_price(static_cast<std::size_t>(random.below(n, 3 * buyer)),
                         3 * random.uniform(buyer));
        priced.set_price(static_cast<std::size_t>(random.below(n, 3 * buyer + 1)),
                         -3 * random.uniform(n + buyer));
        std::vector<double> reduced(n), found;
        for (std::size_t k = 0; k < n; ++k)
          reduced[k] = costs[buyer][static_cast<std::size_t>(order[k])] - priced.price(k);
        std::vector<double> sorted = reduced;
        std::sort(sorted.begin(), sorted.end());

        std::vector<PricedPoints::Offer> offers;
        priced.cheapest(&y[buyer * dimension], 20, offers);
        REQUIRE(offers.size() == 20);
        CHECK(offers.back().reduced == doctest::Approx(sorted[19]).epsilon(1e-12));
        for (const auto& o : offers) {
          found.push_back(o.reduced);
          const auto point = static_cast<std::size_t>(o.point);
          CHECK(o.reduced == doctest::Approx(reduced[point]).epsilon(1e-12));
          CHECK(o.cost == doctest::Approx(priced.cost(&y[buyer * dimension], point)));
        }
        std::sort(found.begin(), found.end());
        for (std::size_t k = 0; k < found.size(); ++k)
          CHECK(found[k] == doctest::Approx(sorted[k]).epsilon(1e-12));

        priced.below(&y[buyer * dimension], (sorted[40] + sorted[41]) / 2, offers);
        CHECK(offers.size() == 41);
      }
    }
  }
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("slow");

TEST_CASE("a thousand copies of a point on either side are matched exactly") {
  const std::size_t n = 1500;
  Points a = cloud("clustered", n, 2, 0), b = cloud("clustered", n, 2, 1);
  for (Points* x : {&a, &b}) {
    for (std::size_t i = 1; i < 1000; ++i) std::copy_n(x->begin(), 2, x->data() + 2 * i);
    const Matrix costs = all_costs(a, b, 2, Geometry::kTorus);
    CHECK(proven_cost(costs, match_points(a, b, 2, Geometry::kTorus)) > 0);
  }
}

TEST_SUITE_END();
