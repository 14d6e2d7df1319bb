// How far a figure would move if the experiment were done again: percentile bootstrap intervals.
//
// Of n independent units (replicas, populations, or samples that are independent, with their
// weights) n are drawn with replacement, many times; the statistic of each draw is computed, and
// the interval is what lies between the (1 - level)/2 and (1 + level)/2 quantiles of these, with
// linear interpolation between order statistics. Source: Efron, Tibshirani, "An introduction to the
// bootstrap" (1993), chapter 13. Of few units it is too narrow, unless a wider level is asked for:
// widened_level(). Frames of one trajectory are no units: they are correlated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace arbg::metrics {

// The figure of the units at these indices, which may repeat and come in any order. Called by
// several threads at a time.
using Statistic = std::function<double(std::span<const std::size_t> units)>;

struct BootstrapSettings {
  std::size_t draws = 2000;
  double level = 0.95;  // 0 < level < 1
  std::uint64_t seed = 0;
};

struct Interval {
  double estimate;  // the figure of all units, each once
  double low, high;

  bool contains(double value) const { return low <= value && value <= high; }
};

// The same seed gives the same interval for any number of threads. Throws Error for fewer than two
// units, no draws, another level, and a statistic that is not finite, saying of which draw.
Interval bootstrap(std::size_t units, const Statistic& statistic,
                   const BootstrapSettings& settings = {});

// The interval of statistic a less statistic b, whose units are drawn independently of each other.
// Their figures differ, at this level, if it does not contain 0; by more than d, if it contains
// nothing from -d to d.
Interval bootstrap_difference(std::size_t units_a, const Statistic& statistic_a,
                              std::size_t units_b, const Statistic& statistic_b,
                              const BootstrapSettings& settings = {});

// The level at which the percentile interval of a mean of so many normal units has the level that
// is asked for: 1 - 2 Phi(-t sqrt(n / (n-1))), t the quantile of Student's distribution with n - 1
// degrees of freedom. Source: Hesterberg, "What teachers should know about the bootstrap", The
// American Statistician 69 (2015), section 4.2; t by the series 26.7.5 of Abramowitz and Stegun,
// "Handbook of mathematical functions" (1964), to 0.001 from five units on. Throws Error for fewer
// units than that, which need not be a whole number, and a level that is not between 0 and 1.
double widened_level(double level, double units);

// Whether all of the interval lies farther from 0 than `bound`, which is at least 0.
bool exceeds(const Interval& difference, double bound = 0);

// sum w x / sum w over the units, for independent weighted samples. Both spans must outlive the
// result; `weights` may be empty: equal weights. Throws Error if their sizes differ.
Statistic weighted_mean(std::span<const double> values, std::span<const double> weights);

}  // namespace arbg::metrics
