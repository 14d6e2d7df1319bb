// Importance weights: normalised weights and the figures that say how far to trust them.
//
// For x_i drawn from q and log w_i = log pi~(x_i) - log q(x_i): normalised weights W_i = w_i / sum
// w; effective sample size 1 / sum W_i^2 (Kish, "Survey sampling", 1965); log Z = log mean w_i. All
// in double, in index order, relative to the largest weight. A log weight of -infinity is legal
// (weight 0: outside the target's support). Throws Error for NaN or +infinity, naming the index,
// for no weights at all and, where nothing else is said, for weights that are all 0. ESS, k-hat and
// log Z see only what q has sampled: none of them can notice a missing mode.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace arbg::metrics {

struct WeightSummary {
  std::size_t count = 0;       // n
  std::size_t zero_count = 0;  // weights that are exactly 0
  double ess = 0;              // Kish's, from 1 to n
  double ess_fraction = 0;     // ess / n
  double largest_share = 0;    // max W_i
  double pareto_k = 0;         // see pareto_k()
  double log_z = 0;            // log mean w
  double log_z_error =
      0;  // standard error by the delta method: sd(w) / (sqrt(n) mean(w)); NaN for n = 1
};

WeightSummary summarise_weights(std::span<const double> log_weights);

// log mean w, -infinity if all weights are 0; and Kish's effective number over n, 0 if all are 0.
double log_mean_weight(std::span<const double> log_weights);
double ess_fraction(std::span<const double> log_weights);

// w_i / max w, so that the largest is exactly 1.
std::vector<double> relative_weights(std::span<const double> log_weights);

// W_i, summing to 1.
std::vector<double> normalised_weights(std::span<const double> log_weights);

// The estimated shape k of the generalised Pareto tail of the weights: below 0.5 the variance is
// finite, above 0.7 estimates are unreliable at any practical n, above 1 the mean itself does not
// exist. Fitted to the min(0.2 n, 3 sqrt n) largest weights by Zhang and Stephens, "A new and
// efficient estimation method for the generalized Pareto distribution", Technometrics 51 (2009),
// with the weak prior of Vehtari, Simpson, Gelman, Yao and Gabry, "Pareto smoothed importance
// sampling", JMLR 25 (2024), appendix C. NaN if fewer than five weights of the tail exceed its
// threshold; -infinity if none does (the tail is constant), +infinity if all but a few weights
// underflow to 0.
double pareto_k(std::span<const double> log_weights);

// For comparison with published tables only: the log weights with the largest ceil(fraction n) set
// to -infinity. Biased, and with it every figure computed from the result. Of ties the later go
// first.
std::vector<double> trim_largest(std::span<const double> log_weights, double fraction);

}  // namespace arbg::metrics
