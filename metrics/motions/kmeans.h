// Clusters of points, and how much of a weighted sample is in each.
//
// k-means: centres c that minimise the inertia sum_i min_k |x_i - c_k|^2, to a local minimum by
// Lloyd's iteration (Lloyd, IEEE Trans. Inf. Theory 28, 129, 1982) until no point changes its
// cluster, from centres of k-means++ (Arthur, Vassilvitskii, SODA 2007): each next centre is a
// point drawn with probability proportional to its squared distance from those before; of 2 + log k
// such points the one that lowers the inertia most. The best of several restarts is kept. A cluster
// that loses all its points keeps its centre.
//
// In published tables JSD is the divergence (metrics/statistics/histogram.h) between the shares of
// two samples in 20 clusters of the reference's components. SciPy's `jensenshannon` is its square
// root.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace arbg::metrics {

struct KMeansSettings {
  std::size_t clusters = 20;
  std::size_t restarts = 10;
  std::size_t most_iterations = 300;  // of one restart
  std::uint64_t seed = 0;
};

struct Clusters {
  std::size_t dimension = 0;    // D
  std::vector<double> centres;  // [clusters, D], row-major
  double inertia = 0;           // in squared units of the points

  std::size_t count() const { return centres.size() / dimension; }
};

// Points [n, D], row-major. The same seed gives the same clusters for any number of threads. Throws
// Error for parts of points, a coordinate that is not finite (naming its point), and fewer distinct
// points than clusters.
Clusters k_means(std::span<const double> points, std::size_t dimension,
                 const KMeansSettings& settings = {});

// The nearest centre of each point [n]; of equally near ones the first. Throws Error as above.
std::vector<std::size_t> nearest_centres(const Clusters& clusters, std::span<const double> points);

// The share of each cluster [clusters], which sum to 1: for jensen_shannon_divergence. `weights`
// [n] may be empty: equal weights. Throws Error as above, and for weights that are negative, not
// finite or all 0.
std::vector<double> cluster_shares(const Clusters& clusters, std::span<const double> points,
                                   std::span<const double> weights);

}  // namespace arbg::metrics
