#include "metrics/wasserstein.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "metrics/assignment.h"
#include "tensor/base/error.h"
#include "tensor/base/threads.h"

namespace arbg::metrics {

namespace {

constexpr double kTurn = 2 * std::numbers::pi;
constexpr std::size_t kMostPoints = 32768;  // 4 GiB of costs

enum class Geometry { kTorus, kSpace };

struct Atom {  // a point mass on the line
  double value, mass;
};

std::vector<Atom> sorted_atoms(std::span<const double> values, std::span<const double> weights) {
  require(!values.empty(), "expected at least one value for a Wasserstein distance, found none");
  require(values.size() == weights.size(), "expected one weight for each of ", values.size(),
          " values, found ", weights.size());
  std::vector<Atom> atoms;
  double total = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    require(weights[i] >= 0 && std::isfinite(weights[i]),
            "expected a finite, non-negative weight, found ", weights[i], " at index ", i);
    if (weights[i] == 0) continue;
    require(std::isfinite(values[i]), "expected a finite value, found ", values[i], " at index ",
            i);
    atoms.push_back({values[i], weights[i]});
    total += weights[i];
  }
  require(total > 0, "expected a positive sum of weights, found that all ", values.size(),
          " are zero");
  for (Atom& atom : atoms) atom.mass /= total;
  std::sort(atoms.begin(), atoms.end(),
            [](const Atom& x, const Atom& y) { return x.value < y.value; });
  return atoms;
}

// Coordinates regrouped to [D, n], so that the cost loops run over contiguous points; angles
// reduced to [-pi, pi].
std::vector<double> by_coordinate(std::span<const double> points, std::size_t dimension,
                                  Geometry geometry) {
  const std::size_t n = points.size() / dimension;
  std::vector<double> columns(points.size());
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t d = 0; d < dimension; ++d) {
      const double x = points[i * dimension + d];
      require(std::isfinite(x), "expected a finite coordinate, found ", x, " in point ", i,
              ", coordinate ", d);
      columns[d * n + i] = geometry == Geometry::kTorus ? wrapped_difference(x, 0) : x;
    }
  }
  return columns;
}

class PointCosts {
 public:
  PointCosts(std::span<const double> a, std::span<const double> b, std::size_t dimension,
             Geometry geometry)
      : n_(a.size() / dimension),
        dimension_(dimension),
        geometry_(geometry),
        a_(by_coordinate(a, dimension, geometry)),
        b_(by_coordinate(b, dimension, geometry)) {}

  std::size_t size() const { return n_; }

  // costs[j] = squared distance from point i of a to point j of b.
  void row(std::size_t i, std::vector<double>& costs) const {
    costs.assign(n_, 0.0);
    for (std::size_t d = 0; d < dimension_; ++d) {
      const double from = a_[d * n_ + i];
      const double* to = &b_[d * n_];
      if (geometry_ == Geometry::kTorus) {
        for (std::size_t j = 0; j < n_; ++j) {
          const double apart = std::fabs(from - to[j]);
          const double shorter = apart > kTurn / 2 ? kTurn - apart : apart;
          costs[j] += shorter * shorter;
        }
      } else {
        for (std::size_t j = 0; j < n_; ++j) costs[j] += (from - to[j]) * (from - to[j]);
      }
    }
  }

 private:
  std::size_t n_, dimension_;
  Geometry geometry_;
  std::vector<double> a_, b_;
};

// The assignment's cost and its lower bound, from costs in double, however it was found.
TransportDistance certify(const PointCosts& costs, const Assignment& assignment) {
  const std::size_t n = costs.size();
  std::vector<double> paid(n), cheapest(n);
  parallel_for(static_cast<std::int64_t>(n), [&](std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    std::vector<double> row;
    costs.row(i, row);
    paid[i] = row[static_cast<std::size_t>(assignment.column_of_row[i])];
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < n; ++j)
      least = std::min(least, row[j] - assignment.column_price[j]);
    cheapest[i] = least;
  });
  double total = 0, bound = 0;
  for (std::size_t i = 0; i < n; ++i) {
    total += paid[i];
    bound += cheapest[i] + assignment.column_price[i];
  }
  const auto points = static_cast<double>(n);
  return {std::sqrt(total / points), std::sqrt(std::max(bound, 0.0) / points)};
}

TransportDistance transport(std::span<const double> a, std::span<const double> b,
                            std::size_t dimension, Geometry geometry) {
  require(dimension > 0, "expected points of at least one coordinate, found dimension 0");
  require(!a.empty() && a.size() == b.size() && a.size() % dimension == 0,
          "expected two equally large samples of points with ", dimension, " coordinates, found ",
          a.size(), " and ", b.size(), " numbers; draw the same number of points from both");
  const PointCosts costs(a, b, dimension, geometry);
  const std::size_t n = costs.size();
  require(n <= kMostPoints, "expected at most ", kMostPoints, " points for exact transport, found ",
          n, "; draw fewer (the published protocol uses 10000)");
  CostMatrix matrix(n);
  parallel_for(static_cast<std::int64_t>(n), [&](std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    std::vector<double> row;
    costs.row(i, row);
    float* to = matrix.row(i);
    for (std::size_t j = 0; j < n; ++j) to[j] = static_cast<float>(row[j]);
  });
  return certify(costs, solve_assignment(matrix));
}

std::size_t half_points(std::span<const double> reference, std::size_t dimension) {
  require(dimension > 0 && reference.size() % dimension == 0 && reference.size() >= 2 * dimension,
          "expected at least two points of ", dimension, " coordinates to split in halves, found ",
          reference.size(), " numbers");
  return reference.size() / dimension / 2 * dimension;
}

}  // namespace

double wrapped_difference(double a, double b) { return std::remainder(a - b, kTurn); }

double wasserstein2_line(std::span<const double> a, std::span<const double> b) {
  const std::vector<double> ones_a(a.size(), 1.0), ones_b(b.size(), 1.0);
  return wasserstein2_line(a, ones_a, b, ones_b);
}

double wasserstein2_line(std::span<const double> a, std::span<const double> weights_a,
                         std::span<const double> b, std::span<const double> weights_b) {
  const std::vector<Atom> from = sorted_atoms(a, weights_a), to = sorted_atoms(b, weights_b);
  // Both distribution functions climb together; between two of their steps the coupling moves one
  // pair of atoms.
  double cost = 0, left_i = from[0].mass, left_j = to[0].mass;
  for (std::size_t i = 0, j = 0; i < from.size() && j < to.size();) {
    const double moved = std::min(left_i, left_j), apart = from[i].value - to[j].value;
    cost += moved * apart * apart;
    left_i -= moved;
    left_j -= moved;
    if (left_i <= 0 && ++i < from.size()) left_i = from[i].mass;
    if (left_j <= 0 && ++j < to.size()) left_j = to[j].mass;
  }
  return std::sqrt(cost);
}

TransportDistance wasserstein2_torus(std::span<const double> a, std::span<const double> b,
                                     std::size_t dimension) {
  return transport(a, b, dimension, Geometry::kTorus);
}

TransportDistance wasserstein2_space(std::span<const double> a, std::span<const double> b,
                                     std::size_t dimension) {
  return transport(a, b, dimension, Geometry::kSpace);
}

double floor_line(std::span<const double> reference) {
  const std::size_t half = half_points(reference, 1);
  return wasserstein2_line(reference.first(half), reference.subspan(half, half));
}

TransportDistance floor_torus(std::span<const double> reference, std::size_t dimension) {
  const std::size_t half = half_points(reference, dimension);
  return wasserstein2_torus(reference.first(half), reference.subspan(half, half), dimension);
}

TransportDistance floor_space(std::span<const double> reference, std::size_t dimension) {
  const std::size_t half = half_points(reference, dimension);
  return wasserstein2_space(reference.first(half), reference.subspan(half, half), dimension);
}

}  // namespace arbg::metrics
