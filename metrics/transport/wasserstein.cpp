#include "metrics/transport/wasserstein.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include "metrics/transport/assignment.h"
#include "tensor/base/error.h"
#include "tensor/base/threads.h"

namespace arbg::metrics {

namespace {

constexpr double kTurn = 2 * std::numbers::pi;
constexpr std::size_t kMostPoints = 1u << 30;  // counted in 32 bits
constexpr double kLargest = 1e100;             // its square, and sums of those, are finite

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

// Points as they came, [n, D]; angles reduced to [-pi, pi].
std::vector<double> checked(std::span<const double> points, std::size_t dimension,
                            Geometry geometry) {
  std::vector<double> out(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double x = points[i];
    require(std::isfinite(x), "expected a finite coordinate, found ", x, " in point ",
            i / dimension, ", coordinate ", i % dimension);
    require(geometry == Geometry::kTorus || std::fabs(x) <= kLargest,
            "expected a coordinate whose square is finite, found ", x, " in point ", i / dimension,
            ", coordinate ", i % dimension);
    out[i] = geometry == Geometry::kTorus ? wrapped_difference(x, 0) : x;
  }
  return out;
}

// Squared distances from one point to a block of others, for the certificate: by another way than
// the search that found the assignment.
class BlockCosts {
 public:
  static constexpr std::size_t kBlock = 512;

  BlockCosts(const std::vector<double>& to, std::size_t dimension, Geometry geometry)
      : n_(to.size() / dimension), geometry_(geometry), to_(to.size()) {
    for (std::size_t j = 0; j < n_; ++j) {
      for (std::size_t d = 0; d < dimension; ++d) to_[d * n_ + j] = to[j * dimension + d];
    }
  }

  // costs[k] = squared distance to point first + k, k < count <= kBlock.
  void block(std::span<const double> from, std::size_t first, std::size_t count,
             double* costs) const {
    std::fill_n(costs, count, 0.0);
    for (std::size_t d = 0; d < from.size(); ++d) {
      const double* to = &to_[d * n_ + first];
      if (geometry_ == Geometry::kTorus) {
        for (std::size_t k = 0; k < count; ++k) {
          const double apart = std::fabs(from[d] - to[k]);
          const double shorter = apart > kTurn / 2 ? kTurn - apart : apart;
          costs[k] += shorter * shorter;
        }
      } else {
        for (std::size_t k = 0; k < count; ++k) costs[k] += (from[d] - to[k]) * (from[d] - to[k]);
      }
    }
  }

 private:
  std::size_t n_;
  Geometry geometry_;
  std::vector<double> to_;  // [D, n]
};

// The assignment's cost and its lower bound from all n^2 costs, however it was found.
TransportDistance certify(const std::vector<double>& a, const std::vector<double>& b,
                          std::size_t dimension, Geometry geometry, const Assignment& assignment) {
  constexpr std::size_t kBlock = BlockCosts::kBlock;
  const std::size_t n = a.size() / dimension;
  const BlockCosts to_b(b, dimension, geometry);
  std::vector<double> paid(n), cheapest(n);
  parallel_for(static_cast<std::int64_t>(n), [&](std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    const auto from = std::span(a).subspan(i * dimension, dimension);
    double costs[kBlock], least[kBlock];
    std::fill_n(least, kBlock, std::numeric_limits<double>::infinity());
    for (std::size_t first = 0; first < n; first += kBlock) {
      const std::size_t count = std::min(kBlock, n - first);
      to_b.block(from, first, count, costs);
      const double* price = &assignment.column_price[first];
      for (std::size_t k = 0; k < count; ++k) {
        const double reduced = costs[k] - price[k];
        least[k] = reduced < least[k] ? reduced : least[k];
      }
    }
    cheapest[i] = *std::min_element(least, least + kBlock);
    to_b.block(from, static_cast<std::size_t>(assignment.column_of_row[i]), 1, &paid[i]);
  });
  double total = 0, bound = 0;
  for (std::size_t i = 0; i < n; ++i) {
    total += paid[i];
    bound += cheapest[i] + assignment.column_price[i];
  }
  const auto points = static_cast<double>(n);
  return {std::sqrt(total / points),
          std::sqrt(std::max(bound, 0.0) / points),
          {std::move(cheapest), std::move(assignment.column_price)}};
}

TransportDistance transport(std::span<const double> a, std::span<const double> b,
                            std::size_t dimension, Geometry geometry) {
  require(dimension > 0, "expected points of at least one coordinate, found dimension 0");
  require(!a.empty() && a.size() == b.size() && a.size() % dimension == 0,
          "expected two equally large samples of points with ", dimension, " coordinates, found ",
          a.size(), " and ", b.size(), " numbers; draw the same number of points from both");
  const std::size_t n = a.size() / dimension;
  require(n <= kMostPoints, "expected at most ", kMostPoints, " points for exact transport, found ",
          n);
  const auto from = checked(a, dimension, geometry), to = checked(b, dimension, geometry);
  return certify(from, to, dimension, geometry, match_points(from, to, dimension, geometry));
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
