// Weighted histograms over given edges, in one and two dimensions, and how much two of them differ.
//
// Bin k holds edges[k] <= value < edges[k+1]; the last bin includes its upper edge. Mass is the sum
// of normalised weights, so that all bins and `outside` sum to 1. Infinite values count as outside.
// Throws Error for edges that do not ascend, NaN values (naming the index), negative weights, and
// sizes that do not match.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace arbg::metrics {

struct Histogram {
  std::vector<double> edges;  // [bins + 1]
  std::vector<double> mass;   // [bins]
  double outside = 0;

  std::vector<double> density() const;  // mass / bin width
};

struct Histogram2D {
  std::vector<double> x_edges, y_edges;  // [nx + 1], [ny + 1]
  std::vector<double> mass;              // [ny, nx] row-major: mass[iy * nx + ix]
  double outside = 0;

  // -log(density / largest density), in kT; +infinity in empty bins.
  std::vector<double> free_energy() const;
};

// bins + 1 equally spaced edges from low to high, both included.
std::vector<double> uniform_edges(double low, double high, std::size_t bins);

// The bin of a value, or none. The index is that of the value, to be named.
std::optional<std::size_t> bin_of(double value, const std::vector<double>& edges,
                                  std::size_t index);

// `weights` may be empty: equal weights.
Histogram make_histogram(std::span<const double> values, std::span<const double> weights,
                         std::vector<double> edges);
Histogram2D make_histogram_2d(std::span<const double> x, std::span<const double> y,
                              std::span<const double> weights, std::vector<double> x_edges,
                              std::vector<double> y_edges);

// Jensen-Shannon divergence to base 2, from 0 (equal) to 1 (disjoint): the mean Kullback-Leibler
// divergence of P and Q from (P+Q)/2 (Lin, IEEE Trans. Inf. Theory 37, 1991). Takes masses of any
// positive sum over the same bins.
double jensen_shannon_divergence(std::span<const double> p, std::span<const double> q);

}  // namespace arbg::metrics
