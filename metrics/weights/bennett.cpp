#include "metrics/weights/bennett.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tensor/base/error.h"

namespace arbg::metrics {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double logistic(double a) {
  if (a >= 0) return 1 / (1 + std::exp(-a));
  const double e = std::exp(a);
  return e / (1 + e);
}

// Throws unless every log weight is finite or the one infinity that is allowed on this side.
void check(std::span<const double> log_weights, const char* side, double allowed) {
  require(!log_weights.empty(), "expected at least one ", side, " log weight, found none");
  for (std::size_t i = 0; i < log_weights.size(); ++i) {
    require(std::isfinite(log_weights[i]) || log_weights[i] == allowed, "expected a finite ", side,
            " log weight or ", allowed, ", found ", log_weights[i], " at index ", i);
  }
}

double log_mean_exp(std::span<const double> values, double sign) {
  double largest = -kInfinity, total = 0;
  for (const double v : values) largest = std::max(largest, sign * v);
  if (std::isinf(largest)) return largest;
  for (const double v : values) total += std::exp(sign * v - largest);
  return largest + std::log(total / static_cast<double>(values.size()));
}

}  // namespace

BennettEstimate bennett_log_z(std::span<const double> model_log_weights,
                              std::span<const double> reference_log_weights) {
  check(model_log_weights, "model", -kInfinity);
  check(reference_log_weights, "reference", kInfinity);
  const auto n_q = static_cast<double>(model_log_weights.size());
  const auto n_p = static_cast<double>(reference_log_weights.size());
  const double shift = std::log(n_p / n_q);
  double low = kInfinity, high = -kInfinity;
  for (const auto side : {model_log_weights, reference_log_weights}) {
    for (const double lw : side) {
      if (std::isinf(lw)) continue;
      low = std::min(low, lw + shift);
      high = std::max(high, lw + shift);
    }
  }
  const auto excess = [&](double log_z) {
    double total = 0;
    for (const double lw : model_log_weights) total += logistic(lw - log_z + shift);
    for (const double lw : reference_log_weights) total -= logistic(log_z - lw - shift);
    return total;
  };
  // `excess` falls strictly with log_z. Beyond all log weights by log(n_q n_p) it has its final
  // sign, if it ever does.
  const double margin = std::log(n_q + 1) + std::log(n_p + 1) + 1;
  low -= margin;
  high += margin;
  require(excess(low) > 0 && excess(high) < 0,
          "expected model and reference samples that overlap, found that no model sample lies in "
          "the target's support"
          " or no reference sample in the model's");
  for (double middle = (low + high) / 2; low < middle && middle < high; middle = (low + high) / 2) {
    (excess(middle) > 0 ? low : high) = middle;
  }
  BennettEstimate estimate{(low + high) / 2, 0, 0};
  double information = 0;
  for (const auto side : {model_log_weights, reference_log_weights}) {
    for (const double lw : side) {
      const double a = lw - estimate.log_z + shift;
      information += logistic(a) * logistic(-a);
    }
  }
  estimate.overlap = information * (n_q + n_p) / (n_q * n_p);
  estimate.error = std::sqrt(std::max(1 / information - 1 / n_q - 1 / n_p, 0.0));
  return estimate;
}

double reverse_ess_fraction(std::span<const double> reference_log_weights) {
  check(reference_log_weights, "reference", kInfinity);
  const double log_mean = log_mean_exp(reference_log_weights, 1);
  const double log_mean_inverse = log_mean_exp(reference_log_weights, -1);
  return std::exp(-log_mean - log_mean_inverse);
}

}  // namespace arbg::metrics
