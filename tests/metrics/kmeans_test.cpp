// Clusters that are known, their shares, and scikit-learn's.
#include "metrics/motions/kmeans.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <vector>

#include "metrics/statistics/histogram.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"
#include "tensor/base/npy.h"
#include "tensor/base/random.h"
#include "tensor/base/threads.h"

using namespace arbg;
using namespace arbg::metrics;

namespace {

const std::filesystem::path kGolden = std::filesystem::path(ARBG_GOLDEN_DIR) / "metrics";

std::vector<double> cloud(std::size_t count, std::uint64_t stream) {
  const Random random(9, stream);
  std::vector<double> points;
  for (std::size_t i = 0; i < count; ++i) {
    const auto z = random.normal_pair(i);
    points.insert(points.end(), {z[0], 2 * z[1]});
  }
  return points;
}

double inertia_of(const Clusters& clusters, const std::vector<double>& points) {
  const auto nearest = nearest_centres(clusters, points);
  double total = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::size_t d = clusters.dimension;
    total += std::pow(points[i] - clusters.centres[nearest[i / d] * d + i % d], 2);
  }
  return total;
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("groups that lie apart are the clusters, their means the centres") {
  const std::vector<double> points{0, 1, 2, 100, 102, -50, -52, -54};
  const Clusters found = k_means(points, 1, {.clusters = 3});
  auto centres = found.centres;
  std::sort(centres.begin(), centres.end());
  CHECK(centres == std::vector<double>{-52, 1, 101});
  CHECK(found.inertia == doctest::Approx(2 + 2 + 8));

  const auto nearest = nearest_centres(found, points);
  CHECK(nearest[0] == nearest[2]);
  CHECK(nearest[3] == nearest[4]);
  CHECK(nearest[0] != nearest[3]);
}

TEST_CASE("as many clusters as distinct points leave no inertia; fewer points are refused") {
  const std::vector<double> points{1, 1, 5, 5, 5, 7};
  CHECK(k_means(points, 1, {.clusters = 3}).inertia == 0);
  CHECK_THROWS_WITH_AS(k_means(points, 1, {.clusters = 4}),
                       "expected at least 4 distinct points for as many clusters, found 3", Error);
}

TEST_CASE("every centre is the mean of its points, and every point is with its nearest centre") {
  const auto points = cloud(3000, 1);
  const Clusters found = k_means(points, 2, {.clusters = 7, .restarts = 1});
  CHECK(found.inertia == doctest::Approx(inertia_of(found, points)).epsilon(1e-12));
  const auto nearest = nearest_centres(found, points);
  for (std::size_t k = 0; k < 7; ++k) {
    double sum[2] = {0, 0}, size = 0;
    for (std::size_t i = 0; i < nearest.size(); ++i) {
      if (nearest[i] != k) continue;
      ++size;
      for (std::size_t d = 0; d < 2; ++d) sum[d] += points[2 * i + d];
    }
    for (std::size_t d = 0; d < 2; ++d) {
      CHECK(found.centres[2 * k + d] == doctest::Approx(sum[d] / size).epsilon(1e-10));
    }
  }
}

TEST_CASE("restarts never make it worse, and a seed says all, for any number of threads") {
  const auto points = cloud(9000, 2);
  const Clusters one = k_means(points, 2, {.clusters = 9, .restarts = 1, .seed = 5});
  const Clusters four = k_means(points, 2, {.clusters = 9, .restarts = 4, .seed = 5});
  CHECK(four.inertia <= one.inertia);
  const int threads = thread_count();
  set_thread_count(threads + 1);
  const Clusters again = k_means(points, 2, {.clusters = 9, .restarts = 4, .seed = 5});
  set_thread_count(threads);
  CHECK(again.centres == four.centres);
  CHECK(k_means(points, 2, {.clusters = 9, .restarts = 1, .seed = 6}).centres != one.centres);
}

TEST_CASE("shares are of weights; a point between two centres is the first one's") {
  const Clusters clusters{1, {0, 10}, 0};
  const std::vector<double> points{1, 9, 5, 20};
  CHECK(nearest_centres(clusters, points) == std::vector<std::size_t>{0, 1, 0, 1});
  CHECK(cluster_shares(clusters, points, {}) == std::vector<double>{0.5, 0.5});
  CHECK(cluster_shares(clusters, points, std::vector<double>{2, 1, 1, 4})[0] ==
        doctest::Approx(3.0 / 8));
}

TEST_CASE("bad points and weights are refused") {
  const std::vector<double> three{1, 2, 3};
  const Clusters clusters{1, {0, 10}, 0};
  CHECK_THROWS_AS(k_means(three, 2, {.clusters = 1}), Error);
  CHECK_THROWS_AS(k_means(three, 1, {.clusters = 0}), Error);
  CHECK_THROWS_AS(k_means(three, 1, {.clusters = 4}), Error);
  CHECK_THROWS_WITH_AS(
      nearest_centres(clusters, std::vector{1, std::numeric_limits<double>::infinity()}),
      "expected a finite coordinate, found inf of point 1", Error);
  CHECK_THROWS_AS(cluster_shares(clusters, three, std::vector<double>{1, -1, 1}), Error);
  CHECK_THROWS_AS(cluster_shares(clusters, three, std::vector<double>{0, 0, 0}), Error);
  CHECK_THROWS_AS(cluster_shares(clusters, three, std::vector<double>{1, 1}), Error);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("golden");

TEST_CASE("inertia is no more than scikit-learn's, and the divergence of shares is SciPy's") {
  const auto points = read_npy(kGolden / "clusters_points.npy").data;
  const auto others = read_npy(kGolden / "clusters_others.npy").data;
  const auto weights = read_npy(kGolden / "clusters_weights.npy").data;
  const Json golden =
      Json::parse(read_file(kGolden / "evaluation.json"), "evaluation.json").at("clusters");
  CHECK(k_means(points, 2).inertia <= golden.at("inertia").number() * (1 + 1e-9));

  const Clusters theirs{2, numbers_of(golden.at("centres")), golden.at("inertia").number()};
  CHECK(inertia_of(theirs, points) == doctest::Approx(theirs.inertia).epsilon(1e-9));
  CHECK(jensen_shannon_divergence(cluster_shares(theirs, points, {}),
                                  cluster_shares(theirs, others, weights)) ==
        doctest::Approx(golden.at("jsd").number()).epsilon(1e-12));
}

TEST_SUITE_END();
