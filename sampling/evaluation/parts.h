// Independent parts of samples and frames, over which bootstrap intervals are taken. Inside
// sampling/evaluation only.
//
// Intervals are of 95 %, widened where the parts are few (metrics/statistics/bootstrap.h), and
// there are none where these are fewer than ten, effectively: low and high are NaN then.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "metrics/statistics/bootstrap.h"
#include "sampling/evaluation/ensembles.h"

namespace arbg::sampling {

// part_of[i] of sample or frame i, and how many parts there are.
struct Parts {
  std::vector<std::size_t> part_of;
  std::size_t count = 0;
  bool rows_too = false;  // samples are independent, not only their parts

  // Of these rows, in their order; the same parts.
  Parts of_rows(std::span<const std::int64_t> rows) const;
  // The sum of the values of each [count]. None: how many rows it has.
  std::vector<double> sum(std::span<const double> values) const;
};

// Frame f is of replica f % replicas.
Parts replicas_of(std::int64_t frames, std::int64_t replicas);

// Populations, replicas, or a hundred equal parts of samples that are independent. Frames without
// weights are not known to be: they are one part.
Parts parts_of(const WeightedEnsemble& samples);

// How many equal ones these weigh as much as (Kish); 0 where all are 0.
double effective_number(std::span<const double> weights);

// How many draws these rows, which weigh so much, are worth: of independent ones the effective
// number, of others that of their parts.
double independent_draws(const Parts& parts, std::span<const double> weights);

// The sum of some values over the sum of what they are of, part by part: a share, or a mean.
struct Ratio {
  std::vector<double> part, whole;  // [parts]

  Ratio(std::vector<double> part, std::vector<double> whole);
  double of_all() const { return all_; }
  // Parts that weigh nothing, drawn alone, say nothing: then that of all. What is returned looks at
  // this one.
  metrics::Statistic statistic() const;

 private:
  double all_;
};

// An estimate without an interval: low and high are NaN.
metrics::Interval without_interval(double estimate);

// Of a statistic of drawn parts, which weigh so much [parts].
metrics::Interval interval_over(std::span<const double> whole, const metrics::Statistic& statistic,
                                std::uint64_t seed);
metrics::Interval difference_over(std::span<const double> whole_a, const metrics::Statistic& a,
                                  std::span<const double> whole_b, const metrics::Statistic& b,
                                  std::uint64_t seed);
metrics::Interval difference_over(const Ratio& a, const Ratio& b, std::uint64_t seed);

// The interval of a share, of so many independent draws. Where it is 0 or 1 no draw of the
// bootstrap differs: then from the other end to what `most_unseen` allows.
metrics::Interval share_over(const Ratio& share, double draws, std::uint64_t seed);

// The difference of two such shares. Where either is 0 or 1: as far apart as their intervals allow.
metrics::Interval difference_of_shares(const Ratio& a, const metrics::Interval& share_a,
                                       const Ratio& b, const metrics::Interval& share_b,
                                       std::uint64_t seed);

// What no draw of n met has a share of at most this, with a probability of 95 %: p with (1 - p)^n =
// 5 %, about 3 / n (Hanley and Lippman-Hand, JAMA 249, 1983).
double most_unseen(double draws);

}  // namespace arbg::sampling
