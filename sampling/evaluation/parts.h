// Independent parts of samples and frames, over which bootstrap intervals are taken. Inside
// sampling/evaluation only.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "metrics/statistics/bootstrap.h"
#include "sampling/evaluation/ensembles.h"

namespace arbg::sampling {

// part_of[i] of sample or frame i, and how many parts there are.
struct Parts {
  std::vector<std::size_t> part_of;
  std::size_t count = 0;

  // Of these rows, in their order; the same parts.
  Parts of_rows(std::span<const std::int64_t> rows) const;
  // What each weighs [count]. No weights: equal ones.
  std::vector<double> weigh(std::span<const double> weights) const;
};

// Frame f is of replica f % replicas.
Parts replicas_of(std::int64_t frames, std::int64_t replicas);

// Populations, replicas, or a hundred equal parts of samples that are independent. Frames without
// weights are not known to be: they are one part.
Parts parts_of(const WeightedEnsemble& samples);

// Whether these are ten or more, effectively (Kish, by what they weigh): below, intervals are too
// narrow.
bool are_enough(std::span<const double> whole);

// An estimate without an interval: low and high are NaN.
metrics::Interval without_interval(double estimate);

// The statistic of all `units`, with its interval over them if they are `enough`.
metrics::Interval interval_over(std::size_t units, const metrics::Statistic& statistic, bool enough,
                                std::uint64_t seed);

// Statistic a less statistic b, as metrics::bootstrap_difference(), if both have enough units.
metrics::Interval difference_over(std::size_t units_a, const metrics::Statistic& a,
                                  std::size_t units_b, const metrics::Statistic& b, bool enough,
                                  std::uint64_t seed);

}  // namespace arbg::sampling
