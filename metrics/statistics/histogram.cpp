#include "metrics/statistics/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "metrics/weights/shares.h"
#include "tensor/base/error.h"

namespace arbg::metrics {

namespace {

void check_edges(const std::vector<double>& edges) {
  require(edges.size() >= 2, "expected at least two histogram edges, found ", edges.size());
  for (std::size_t k = 0; k + 1 < edges.size(); ++k) {
    require(edges[k] < edges[k + 1], "expected ascending histogram edges, found ", edges[k],
            " then ", edges[k + 1], " at edge ", k);
  }
}

}  // namespace

std::optional<std::size_t> bin_of(double value, const std::vector<double>& edges,
                                  std::size_t index) {
  require(!std::isnan(value), "expected a number to bin, found NaN at index ", index);
  if (value < edges.front() || value > edges.back()) return std::nullopt;
  const auto above = std::upper_bound(edges.begin(), edges.end(), value);
  const auto bin = static_cast<std::size_t>(above - edges.begin()) - 1;
  return std::min(bin, edges.size() - 2);
}

std::vector<double> uniform_edges(double low, double high, std::size_t bins) {
  require(low < high && bins > 0, "expected low < high and at least one bin, found ", low, ", ",
          high, " and ", bins);
  std::vector<double> edges(bins + 1);
  for (std::size_t k = 0; k <= bins; ++k) {
    const double t = static_cast<double>(k) / static_cast<double>(bins);
    edges[k] = low * (1 - t) + high * t;
  }
  return edges;
}

std::vector<double> Histogram::density() const {
  std::vector<double> result(mass.size());
  for (std::size_t k = 0; k < mass.size(); ++k) result[k] = mass[k] / (edges[k + 1] - edges[k]);
  return result;
}

std::vector<double> Histogram2D::free_energy() const {
  const std::size_t nx = x_edges.size() - 1;
  std::vector<double> density(mass.size());
  double largest = 0;
  for (std::size_t k = 0; k < mass.size(); ++k) {
    const std::size_t ix = k % nx, iy = k / nx;
    density[k] = mass[k] / ((x_edges[ix + 1] - x_edges[ix]) * (y_edges[iy + 1] - y_edges[iy]));
    largest = std::max(largest, density[k]);
  }
  for (double& d : density) {
    d = d > 0 ? std::log(largest / d) : std::numeric_limits<double>::infinity();
  }
  return density;
}

Histogram make_histogram(std::span<const double> values, std::span<const double> weights,
                         std::vector<double> edges) {
  check_edges(edges);
  const std::vector<double> share = shares(weights, values.size());
  Histogram histogram{std::move(edges), {}, 0};
  histogram.mass.assign(histogram.edges.size() - 1, 0.0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bin = bin_of(values[i], histogram.edges, i);
    (bin ? histogram.mass[*bin] : histogram.outside) += share[i];
  }
  return histogram;
}

Histogram2D make_histogram_2d(std::span<const double> x, std::span<const double> y,
                              std::span<const double> weights, std::vector<double> x_edges,
                              std::vector<double> y_edges) {
  check_edges(x_edges);
  check_edges(y_edges);
  require(x.size() == y.size(), "expected as many y as x values, found ", y.size(), " and ",
          x.size());
  const std::vector<double> share = shares(weights, x.size());
  Histogram2D histogram{std::move(x_edges), std::move(y_edges), {}, 0};
  const std::size_t nx = histogram.x_edges.size() - 1, ny = histogram.y_edges.size() - 1;
  histogram.mass.assign(nx * ny, 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto ix = bin_of(x[i], histogram.x_edges, i), iy = bin_of(y[i], histogram.y_edges, i);
    (ix && iy ? histogram.mass[*iy * nx + *ix] : histogram.outside) += share[i];
  }
  return histogram;
}

double jensen_shannon_divergence(std::span<const double> p, std::span<const double> q) {
  require(p.size() == q.size(), "expected two histograms over the same bins, found ", p.size(),
          " and ", q.size(), " bins");
  const std::vector<double> p_share = shares(p, p.size()), q_share = shares(q, q.size());
  double total = 0;
  for (std::size_t k = 0; k < p.size(); ++k) {
    const double middle = (p_share[k] + q_share[k]) / 2;
    if (p_share[k] > 0) total += p_share[k] / 2 * std::log2(p_share[k] / middle);
    if (q_share[k] > 0) total += q_share[k] / 2 * std::log2(q_share[k] / middle);
  }
  return std::clamp(total, 0.0, 1.0);
}

}  // namespace arbg::metrics
