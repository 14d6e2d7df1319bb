// What distances compare, and how: rows of samples, of the reference, and of its two halves. Inside
// sampling/evaluation only.
//
// The interval of a distance is that of its potentials (metrics/statistics/potentials.h), drawn
// part by part, either side by itself (parts.h): where the distance of as many points of runs done
// again lies on average.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "metrics/statistics/potentials.h"
#include "sampling/evaluation/evaluation.h"
#include "sampling/evaluation/parts.h"
#include "tensor/base/ranks.h"

namespace arbg::sampling {

using Indices = std::vector<std::int64_t>;

// Some rows, and the independent parts that they are from.
struct Side {
  Indices rows;
  Parts parts;
};

// The rows that distances compare.
struct Points {
  Side weighted, raw;                // samples: resampled, and as drawn
  Side reference, reference_of_raw;  // as many as `weighted` and `raw`: the solver wants that
  Side left, right;                  // halves of the reference: the floor's two sides
  std::uint64_t seed = 0;            // of the intervals
};

// `log_weight`: of the samples, trimmed where that was asked for.
Points points_of(const WeightedEnsemble& samples, std::span<const double> log_weight,
                 const ReferenceEnsemble& reference, std::int64_t points,
                 const EvaluationOptions& options);

// A distance of two sides, with the potential of every row: the means of either add up to the
// distance, or to its square.
struct Measured {
  double distance = 0;
  bool squared = false;
  metrics::Potentials of_rows;
};

// The square root of a sum of potentials; and a sum of potentials.
Measured measured_square(metrics::Potentials of_rows);
Measured measured(metrics::Potentials of_rows);

// Of rows whose values lie in these cells, row by row, as many values of each row.
using OfCells = metrics::Potentials(std::span<const double> p, std::span<const double> q);
Measured measured_cells(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b,
                        std::size_t cells, std::size_t values_a_row, OfCells* potentials);

// The three, with their intervals.
struct MeasuredThree {
  Measured weighted, raw, floor;
};
Distance with_intervals(const MeasuredThree& measured, const Points& at);

// Measures of the share of this rank become those of all three at every rank.
MeasuredThree gathered(const std::vector<Measured>& own, const Share& share, const Ranks& ranks);

// One measure of two sets of rows [B, width]: of weighted samples, of samples as drawn, and of the
// two halves of the reference. Together; the ranks share the three.
template <class Measure>
MeasuredThree measure_three(std::span<const double> s, std::span<const double> r, std::size_t width,
                            const Points& at, const Measure& measure,
                            const Ranks& ranks = Ranks::alone()) {
  const auto measured = [&](std::int64_t which) {
    if (which == 0)
      return measure(pick(s, at.weighted.rows, width), pick(r, at.reference.rows, width));
    if (which == 1)
      return measure(pick(s, at.raw.rows, width), pick(r, at.reference_of_raw.rows, width));
    return measure(pick(r, at.left.rows, width), pick(r, at.right.rows, width));
  };
  const Share share = ranks.share(3);
  std::vector<Measured> own;
  for (auto which = share.first; which < share.last; ++which) own.push_back(measured(which));
  return gathered(own, share, ranks);
}

}  // namespace arbg::sampling
