#include "metrics/weights/weights.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tensor/base/error.h"

namespace arbg::metrics {

namespace {

constexpr std::size_t kLeastTail = 5;   // weights, below which a tail is not fitted
constexpr double kNegligible = 1e-290;  // of the largest weight: safe to divide by

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// -infinity if all weights are 0.
double largest_of(std::span<const double> log_weights) {
  require(!log_weights.empty(), "expected at least one log weight, found none");
  double largest = -kInfinity;
  for (std::size_t i = 0; i < log_weights.size(); ++i) {
    require(log_weights[i] < kInfinity, "expected a finite log weight or -infinity, found ",
            log_weights[i], " at index ", i);
    largest = std::max(largest, log_weights[i]);
  }
  return largest;
}

double sum(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

// Zhang and Stephens: the posterior mean of theta = -k / sigma over a grid, then k = mean log(1 -
// theta x). `x` holds ascending positive exceedances.
double fit_pareto_shape(std::span<const double> x) {
  const auto n = static_cast<double>(x.size());
  const double quartile = x[static_cast<std::size_t>(n / 4 + 0.5) - 1];
  const auto grid_size = static_cast<std::size_t>(30 + std::floor(std::sqrt(n)));
  const auto shape_at = [&](double theta) {
    double total = 0;
    for (const double value : x) total += std::log1p(-theta * value);
    return total / n;
  };
  std::vector<double> thetas(grid_size), log_likelihoods(grid_size);
  for (std::size_t j = 0; j < grid_size; ++j) {
    const double step =
        1 - std::sqrt(static_cast<double>(grid_size) / (static_cast<double>(j) + 0.5));
    thetas[j] = 1 / x.back() + step / (3 * quartile);
    const double shape = shape_at(thetas[j]);
    log_likelihoods[j] = n * (std::log(-thetas[j] / shape) - shape - 1);
  }
  const double best = *std::max_element(log_likelihoods.begin(), log_likelihoods.end());
  double total = 0, theta = 0;
  for (std::size_t j = 0; j < grid_size; ++j) {
    const double posterior = std::exp(log_likelihoods[j] - best);
    total += posterior;
    theta += posterior * thetas[j];
  }
  return shape_at(theta / total);
}

}  // namespace

std::vector<double> relative_weights(std::span<const double> log_weights) {
  const double largest = largest_of(log_weights);
  require(largest > -kInfinity, "expected at least one weight above zero, found that all ",
          log_weights.size(), " log weights are -infinity: no sample lies in the target's support");
  std::vector<double> weights(log_weights.size());
  for (std::size_t i = 0; i < log_weights.size(); ++i)
    weights[i] = std::exp(log_weights[i] - largest);
  return weights;
}

double log_mean_weight(std::span<const double> log_weights) {
  const double largest = largest_of(log_weights);
  if (largest == -kInfinity) return largest;
  return largest +
         std::log(sum(relative_weights(log_weights)) / static_cast<double>(log_weights.size()));
}

double ess_fraction(std::span<const double> log_weights) {
  const double largest = largest_of(log_weights);
  if (largest == -kInfinity) return 0;
  double total = 0, squares = 0;
  for (const double log_w : log_weights) {
    const double w = std::exp(log_w - largest);
    total += w;
    squares += w * w;
  }
  return total * total / squares / static_cast<double>(log_weights.size());
}

WeightSummary summarise_weights(std::span<const double> log_weights) {
  const auto weights = relative_weights(log_weights);
  const auto n = static_cast<double>(log_weights.size());
  const double total = sum(weights);
  double squares = 0;
  WeightSummary summary;
  for (std::size_t i = 0; i < log_weights.size(); ++i) {
    const double share = weights[i] / total;
    squares += share * share;
    if (std::isinf(log_weights[i])) ++summary.zero_count;
  }
  summary.count = log_weights.size();
  summary.ess = 1 / squares;
  summary.ess_fraction = summary.ess / n;
  summary.largest_share = 1 / total;
  summary.pareto_k = pareto_k(log_weights);
  summary.log_z = log_mean_weight(log_weights);
  // Var(w)/mean(w)^2 = n sum W^2 - 1 with divisor n; the unbiased variance has n - 1.
  summary.log_z_error = n > 1 ? std::sqrt(std::max(n * squares - 1, 0.0) / (n - 1))
                              : std::numeric_limits<double>::quiet_NaN();
  return summary;
}

std::vector<double> normalised_weights(std::span<const double> log_weights) {
  auto weights = relative_weights(log_weights);
  const double total = sum(weights);
  for (double& weight : weights) weight /= total;
  return weights;
}

double pareto_k(std::span<const double> log_weights) {
  auto weights = relative_weights(log_weights);
  std::sort(weights.begin(), weights.end());
  const auto n = static_cast<double>(weights.size());
  const auto tail_size = static_cast<std::size_t>(std::ceil(std::min(0.2 * n, 3 * std::sqrt(n))));
  if (tail_size >= weights.size()) return std::numeric_limits<double>::quiet_NaN();
  const std::size_t first = weights.size() - tail_size;
  const double threshold = weights[first - 1];
  std::vector<double> exceedances;
  for (std::size_t i = first; i < weights.size(); ++i) {
    if (weights[i] - threshold > kNegligible) exceedances.push_back(weights[i] - threshold);
  }
  if (exceedances.empty()) return -kInfinity;
  if (exceedances.size() < kLeastTail) {
    const bool underflow = tail_size >= kLeastTail && threshold <= kNegligible;
    return underflow ? kInfinity : std::numeric_limits<double>::quiet_NaN();
  }
  // The prior pulls towards 0.5 with the weight of ten observations.
  const auto used = static_cast<double>(exceedances.size());
  return (used * fit_pareto_shape(exceedances) + 10 * 0.5) / (used + 10);
}

std::vector<double> trim_largest(std::span<const double> log_weights, double fraction) {
  require(fraction >= 0 && fraction < 1,
          "expected a fraction to trim of at least 0 and below 1, found ", fraction);
  relative_weights(log_weights);  // refuses NaN and +infinity
  std::vector<std::size_t> order(log_weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return log_weights[a] < log_weights[b]; });
  const auto dropped =
      static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(order.size())));
  std::vector<double> trimmed(log_weights.begin(), log_weights.end());
  for (std::size_t k = order.size() - dropped; k < order.size(); ++k) {
    trimmed[order[k]] = -kInfinity;
  }
  return trimmed;
}

}  // namespace arbg::metrics
