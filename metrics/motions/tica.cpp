#include "metrics/motions/tica.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "tensor/base/error.h"
#include "tensor/base/threads.h"

namespace arbg::metrics {
namespace {

using Eigen::Index;
using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;
using Frames = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::size_t kBlock = 1024;       // frames
constexpr Index kPanel = 256;              // columns of a matrix that one thread adds to
constexpr double kLeastCondition = 1e-12;  // of 1 - K': below it the solution is noise

Index index(std::size_t n) { return static_cast<Index>(n); }

void read_frames(const FeatureSeries& series, std::size_t replica, std::size_t first,
                 std::size_t count, std::size_t feature_count, Frames& out) {
  out.resize(index(count), index(feature_count));
  series.read(first, count, {out.data(), count * feature_count});
  for (std::size_t i = 0; i < count * feature_count; ++i) {
    require(std::isfinite(out.data()[i]), "expected a finite feature, found ", out.data()[i],
            " in replica ", replica, ", frame ", first + i / feature_count, ", feature ",
            i % feature_count);
  }
}

// Sums over pairs, of frames less a fixed one: variances are then no small differences.
struct Moments {
  double weight = 0;
  Vector sum_x, sum_y;  // sum w x, sum w y
  Matrix same, lagged;  // sum w x x' (and sum w y y', where both ends count), sum w x y'

  explicit Moments(Index features)
      : sum_x(Vector::Zero(features)),
        sum_y(Vector::Zero(features)),
        same(Matrix::Zero(features, features)),
        lagged(Matrix::Zero(features, features)) {}
};

// Of `same` only the lower triangle, by panels of columns.
void add_products(const Frames& frames, const Vector& frame_weights, const Vector& pair_weights,
                  Moments& moments) {
  const Index features = frames.cols(), pairs = pair_weights.size();
  const Frames weighted = frame_weights.asDiagonal() * frames;
  const Frames weighted_x = pair_weights.asDiagonal() * frames.topRows(pairs);
  parallel_for((features + kPanel - 1) / kPanel, [&](std::int64_t panel) {
    const Index first = panel * kPanel, width = std::min(kPanel, features - first);
    const Index below = features - first;
    moments.same.block(first, first, below, width).noalias() +=
        frames.rightCols(below).transpose() * weighted.middleCols(first, width);
    moments.lagged.middleCols(first, width).noalias() +=
        weighted_x.transpose() * frames.bottomRows(pairs).middleCols(first, width);
  });
}

using PairWeights = std::function<Vector(const Eigen::Ref<const Frames>& x)>;

class PairReader {
 public:
  PairReader(std::span<const FeatureSeries> replicas, std::size_t feature_count, std::size_t lag)
      : replicas_(replicas), feature_count_(feature_count), lag_(lag) {
    for (std::size_t r = 0; r < replicas.size() && origin_.size() == 0; ++r) {
      if (replicas[r].frames <= lag) continue;
      Frames first;
      read_frames(replicas[r], r, 0, 1, feature_count, first);
      origin_ = first.row(0).transpose();
    }
    require(origin_.size() > 0, "expected a replica of more than ", lag,
            " frames, the lag of its components, found none of ", replicas.size());
  }

  const Vector& origin() const { return origin_; }

  Moments sums(bool both_ends, const PairWeights& weights_of) const {
    Moments moments(index(feature_count_));
    const std::size_t block = std::max(kBlock, lag_);
    Frames frames;
    for (std::size_t r = 0; r < replicas_.size(); ++r) {
      const std::size_t pairs = replicas_[r].frames - std::min(replicas_[r].frames, lag_);
      for (std::size_t first = 0; first < pairs; first += block) {
        const std::size_t count = std::min(block, pairs - first);
        read_frames(replicas_[r], r, first, count + lag_, feature_count_, frames);
        frames.rowwise() -= origin_.transpose();
        add(frames, index(count), both_ends, weights_of, moments);
      }
    }
    moments.same.triangularView<Eigen::StrictlyUpper>() = moments.same.transpose();
    return moments;
  }

 private:
  static void add(const Frames& frames, Index count, bool both_ends, const PairWeights& weights_of,
                  Moments& moments) {
    const Vector pair_weights = weights_of(frames.topRows(count));
    Vector frame_weights = Vector::Zero(frames.rows());
    frame_weights.head(count) += pair_weights;
    if (both_ends) frame_weights.tail(count) += pair_weights;
    moments.weight += pair_weights.sum();
    moments.sum_x += frames.topRows(count).transpose() * pair_weights;
    moments.sum_y += frames.bottomRows(count).transpose() * pair_weights;
    add_products(frames, frame_weights, pair_weights, moments);
  }

  std::span<const FeatureSeries> replicas_;
  std::size_t feature_count_, lag_;
  Vector origin_;
};

// L [F, rank] with L' C L = 1, columns by descending eigenvalue of C.
Matrix whitening(const Matrix& covariance, double least_variance) {
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(covariance);
  const Vector& variances = solver.eigenvalues();  // ascending
  // A negative variance is the size of the noise: nothing below it counts.
  const double least = std::max(least_variance, -variances[0] + 1e-16);
  const Index rank = (variances.array() >= least).count();
  require(rank > 0, "expected features that vary, found none with a variance of ", least,
          " or more in any direction");
  return solver.eigenvectors().rightCols(rank).rowwise().reverse() *
         variances.tail(rank).reverse().cwiseSqrt().cwiseInverse().asDiagonal();
}

Vector ones(const Eigen::Ref<const Frames>& x) { return Vector::Ones(x.rows()); }

PairWeights koopman_weights(const PairReader& pairs, double least_variance) {
  const Moments sums = pairs.sums(false, ones);
  const Vector mean_x = sums.sum_x / sums.weight, mean_y = sums.sum_y / sums.weight;
  const Matrix whitener =
      whitening(sums.same / sums.weight - mean_x * mean_x.transpose(), least_variance);
  const Matrix covariance = sums.lagged / sums.weight - mean_x * mean_y.transpose();
  const Matrix koopman = whitener.transpose() * covariance * whitener;
  const Eigen::PartialPivLU<Matrix> solver(Matrix::Identity(koopman.rows(), koopman.cols()) -
                                           koopman.transpose());
  require(solver.rcond() >= kLeastCondition,
          "expected one stationary density, found several: parts of the frames never change, or "
          "never meet; fit without weights");
  const Vector slope = whitener * solver.solve(whitener.transpose() * (mean_y - mean_x));
  return [mean_x, slope](const Eigen::Ref<const Frames>& x) -> Vector {
    return ((x * slope).array() + (1 - mean_x.dot(slope))).matrix();
  };
}

// The `count` places of largest size, largest first.
std::vector<Index> leading(const Vector& values, std::size_t count) {
  std::vector<Index> order(static_cast<std::size_t>(values.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](Index a, Index b) { return std::fabs(values[a]) > std::fabs(values[b]); });
  order.resize(count);
  return order;
}

void check_finite(std::span<const double> numbers, const char* name) {
  for (const double number : numbers) {
    require(std::isfinite(number), "expected finite numbers of components in ", name, ", found ",
            number);
  }
}

}  // namespace

FeatureSeries series_of(std::span<const double> features, std::size_t feature_count) {
  require(feature_count > 0 && features.size() % feature_count == 0, "expected whole frames of ",
          feature_count, " features, found ", features.size(), " numbers");
  return {features.size() / feature_count,
          [features, feature_count](std::size_t first, std::size_t count, std::span<double> out) {
            const auto from = features.subspan(first * feature_count, count * feature_count);
            std::copy(from.begin(), from.end(), out.begin());
          }};
}

Tica fit_tica(std::span<const FeatureSeries> replicas, std::size_t feature_count,
              const TicaSettings& settings) {
  require(feature_count > 0 && settings.lag > 0 && settings.components > 0,
          "expected features, a lag and components, found ", feature_count, ", ", settings.lag,
          " and ", settings.components);
  const PairReader pairs(replicas, feature_count, settings.lag);
  const PairWeights weights =
      settings.reweight ? koopman_weights(pairs, settings.least_variance) : PairWeights(ones);
  const Moments sums = pairs.sums(true, weights);
  const double total = 2 * sums.weight;
  const Vector mean = (sums.sum_x + sums.sum_y) / total;
  const Matrix square = mean * mean.transpose();
  const Matrix whitener = whitening(sums.same / total - square, settings.least_variance);
  const auto rank = static_cast<std::size_t>(whitener.cols());
  require(settings.components <= rank, "expected at most ", rank,
          " components, the rank of the features, found ", settings.components);
  const Matrix lagged = (sums.lagged + sums.lagged.transpose()) / total - square;
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(whitener.transpose() * lagged * whitener);

  Tica tica{settings.lag, rank, settings.reweight, {}, {}, {}};
  const Vector shifted = mean + pairs.origin();
  tica.mean.assign(shifted.data(), shifted.data() + shifted.size());
  Frames coefficients(index(feature_count), index(settings.components));
  for (const Index place : leading(solver.eigenvalues(), settings.components)) {
    Vector component = whitener * solver.eigenvectors().col(place);
    Index largest = 0;
    component.cwiseAbs().maxCoeff(&largest);
    if (component[largest] < 0) component = -component;
    const double eigenvalue = solver.eigenvalues()[place];
    coefficients.col(index(tica.eigenvalues.size())) = eigenvalue * component;
    tica.eigenvalues.push_back(eigenvalue);
  }
  tica.coefficients.assign(coefficients.data(), coefficients.data() + coefficients.size());
  return tica;
}

std::vector<double> project(const Tica& tica, const FeatureSeries& samples) {
  const std::size_t d = tica.components();
  const Eigen::Map<const Vector> mean(tica.mean.data(), index(tica.mean.size()));
  const Eigen::Map<const Frames> coefficients(tica.coefficients.data(), mean.size(), index(d));
  std::vector<double> components(samples.frames * d);
  Frames frames;
  for (std::size_t first = 0; first < samples.frames; first += kBlock) {
    const std::size_t count = std::min(kBlock, samples.frames - first);
    read_frames(samples, 0, first, count, tica.feature_count(), frames);
    Eigen::Map<Frames>(components.data() + first * d, index(count), index(d)) =
        (frames.rowwise() - mean.transpose()) * coefficients;
  }
  return components;
}

Json to_json(const Tica& tica) {
  Json json;
  json["lag"] = static_cast<std::int64_t>(tica.lag);
  json["rank"] = static_cast<std::int64_t>(tica.rank);
  json["reweighted"] = tica.reweighted;
  json["eigenvalues"] = list_of(tica.eigenvalues);
  json["mean"] = list_of(tica.mean);
  json["coefficients"] = list_of(tica.coefficients);
  return json;
}

Tica tica_from_json(const Json& json) {
  Tica tica{static_cast<std::size_t>(json.at("lag").natural()),
            static_cast<std::size_t>(json.at("rank").natural()),
            json.at("reweighted").boolean(),
            numbers_of(json.at("mean")),
            numbers_of(json.at("eigenvalues")),
            numbers_of(json.at("coefficients"))};
  require(tica.feature_count() > 0 && tica.components() > 0 &&
              tica.coefficients.size() == tica.feature_count() * tica.components(),
          "expected components of features with a coefficient for each of both, found ",
          tica.coefficients.size(), " for ", tica.components(), " components of ",
          tica.feature_count(), " features");
  check_finite(tica.mean, "\"mean\"");
  check_finite(tica.eigenvalues, "\"eigenvalues\"");
  check_finite(tica.coefficients, "\"coefficients\"");
  return tica;
}

}  // namespace arbg::metrics
