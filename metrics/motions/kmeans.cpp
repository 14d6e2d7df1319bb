#include "metrics/motions/kmeans.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>

#include "metrics/weights/shares.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"
#include "tensor/base/threads.h"

namespace arbg::metrics {
namespace {

constexpr std::size_t kBlock = 4096;  // points of one thread; sums go block by block

std::size_t point_count(std::span<const double> points, std::size_t dimension) {
  require(dimension > 0 && points.size() % dimension == 0, "expected whole points of ", dimension,
          " coordinates, found ", points.size(), " numbers");
  for (std::size_t i = 0; i < points.size(); ++i) {
    require(std::isfinite(points[i]), "expected a finite coordinate, found ", points[i],
            " of point ", i / dimension);
  }
  return points.size() / dimension;
}

double squared_distance(const double* a, const double* b, std::size_t dimension) {
  double total = 0;
  for (std::size_t d = 0; d < dimension; ++d) total += (a[d] - b[d]) * (a[d] - b[d]);
  return total;
}

void for_each_point(std::size_t count, const std::function<void(std::size_t)>& body) {
  parallel_for(static_cast<std::int64_t>((count + kBlock - 1) / kBlock), [&](std::int64_t block) {
    const std::size_t first = static_cast<std::size_t>(block) * kBlock;
    for (std::size_t i = first; i < std::min(first + kBlock, count); ++i) body(i);
  });
}

// One descent of k-means over the points.
class Descent {
 public:
  Descent(std::span<const double> points, std::size_t dimension, std::size_t clusters)
      : points_(points),
        dimension_(dimension),
        clusters_(clusters),
        cluster_of_(points.size() / dimension, clusters),
        distance_(points.size() / dimension, std::numeric_limits<double>::infinity()) {}

  void seed(const Random& random);
  bool assign();  // whether a point has changed its cluster
  void move_centres();
  Clusters result() const { return {dimension_, centres_, inertia()}; }

 private:
  std::size_t count() const { return cluster_of_.size(); }
  const double* point(std::size_t i) const { return points_.data() + i * dimension_; }
  double inertia() const;
  void add_centre(std::size_t i);
  std::size_t draw(double uniform) const;
  double inertia_with(std::size_t candidate) const;

  std::span<const double> points_;
  std::size_t dimension_, clusters_;
  std::vector<std::size_t> cluster_of_;  // [n]
  std::vector<double> distance_;         // [n], squared, to the nearest centre
  std::vector<double> centres_;
};

double Descent::inertia() const {
  double total = 0;
  for (const double d : distance_) total += d;
  return total;
}

void Descent::add_centre(std::size_t i) {
  centres_.insert(centres_.end(), point(i), point(i) + dimension_);
  for_each_point(count(), [&](std::size_t j) {
    distance_[j] = std::min(distance_[j], squared_distance(point(i), point(j), dimension_));
  });
}

// A point with probability proportional to distance_; never one whose distance is 0.
std::size_t Descent::draw(double uniform) const {
  const double target = uniform * inertia();
  double sum = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < count(); ++i) {
    if (distance_[i] > 0) last = i;
    sum += distance_[i];
    if (sum > target) return last;
  }
  return last;
}

double Descent::inertia_with(std::size_t candidate) const {
  std::vector<double> nearest(count());
  for_each_point(count(), [&](std::size_t j) {
    nearest[j] = std::min(distance_[j], squared_distance(point(candidate), point(j), dimension_));
  });
  double total = 0;
  for (const double d : nearest) total += d;
  return total;
}

void Descent::seed(const Random& random) {
  const auto trials = static_cast<std::size_t>(2 + std::log(static_cast<double>(clusters_)));
  std::uint64_t next = 0;
  add_centre(static_cast<std::size_t>(random.below(static_cast<std::int64_t>(count()), next++)));
  for (std::size_t k = 1; k < clusters_; ++k) {
    require(inertia() > 0, "expected at least ", clusters_,
            " distinct points for as many clusters, found ", k);
    std::size_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t t = 0; t < trials; ++t) {
      const std::size_t candidate = draw(random.uniform(next++));
      const double inertia = inertia_with(candidate);
      if (inertia < least) {
        least = inertia;
        best = candidate;
      }
    }
    add_centre(best);
  }
}

bool Descent::assign() {
  const Clusters clusters{dimension_, centres_, 0};
  const std::vector<std::size_t> nearest = nearest_centres(clusters, points_);
  for_each_point(count(), [&](std::size_t i) {
    distance_[i] = squared_distance(point(i), &centres_[nearest[i] * dimension_], dimension_);
  });
  const bool changed = nearest != cluster_of_;
  cluster_of_ = nearest;
  return changed;
}

// A cluster that has lost all its points stays where it is.
void Descent::move_centres() {
  std::vector<double> sums(centres_.size(), 0.0), sizes(clusters_, 0.0);
  for (std::size_t i = 0; i < count(); ++i) {
    const std::size_t k = cluster_of_[i];
    ++sizes[k];
    for (std::size_t d = 0; d < dimension_; ++d) sums[k * dimension_ + d] += point(i)[d];
  }
  for (std::size_t c = 0; c < centres_.size(); ++c) {
    if (sizes[c / dimension_] > 0) centres_[c] = sums[c] / sizes[c / dimension_];
  }
}

}  // namespace

Clusters k_means(std::span<const double> points, std::size_t dimension,
                 const KMeansSettings& settings) {
  const std::size_t count = point_count(points, dimension);
  require(settings.clusters > 0 && settings.restarts > 0 && count >= settings.clusters,
          "expected restarts, clusters, and a point for each, found ", settings.restarts, ", ",
          settings.clusters, " and ", count);
  Clusters best;
  for (std::size_t restart = 0; restart < settings.restarts; ++restart) {
    Descent descent(points, dimension, settings.clusters);
    descent.seed(Random(settings.seed, stream_id(streams::kCentres, restart)));
    descent.assign();
    for (std::size_t i = 0; i < settings.most_iterations; ++i) {
      descent.move_centres();
      if (!descent.assign()) break;
    }
    const Clusters found = descent.result();
    if (restart == 0 || found.inertia < best.inertia) best = found;
  }
  return best;
}

std::vector<std::size_t> nearest_centres(const Clusters& clusters, std::span<const double> points) {
  std::vector<std::size_t> nearest(point_count(points, clusters.dimension));
  for_each_point(nearest.size(), [&](std::size_t i) {
    const double* point = points.data() + i * clusters.dimension;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < clusters.count(); ++k) {
      const double distance = squared_distance(
          point, clusters.centres.data() + k * clusters.dimension, clusters.dimension);
      if (distance < least) {
        least = distance;
        nearest[i] = k;
      }
    }
  });
  return nearest;
}

std::vector<double> cluster_shares(const Clusters& clusters, std::span<const double> points,
                                   std::span<const double> weights) {
  const std::vector<std::size_t> nearest = nearest_centres(clusters, points);
  const std::vector<double> share = shares(weights, nearest.size());
  std::vector<double> of_clusters(clusters.count(), 0.0);
  for (std::size_t i = 0; i < nearest.size(); ++i) of_clusters[nearest[i]] += share[i];
  return of_clusters;
}

}  // namespace arbg::metrics
