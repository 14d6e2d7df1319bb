// What distances compare, and how: rows of samples, of the reference, and of its two halves. Inside
// sampling/evaluation only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sampling/evaluation/evaluation.h"
#include "tensor/base/ranks.h"

namespace arbg::sampling {

using Indices = std::vector<std::int64_t>;

// The rows that distances compare.
struct Points {
  Indices weighted, raw;                // samples: resampled, and as drawn
  Indices reference, reference_of_raw;  // as many as `weighted` and `raw`: the solver wants that
  Indices left, right;                  // halves of the reference: the floor's two sides
};

// `log_weight`: of the samples, trimmed where that was asked for.
Points points_of(const WeightedEnsemble& samples, std::span<const double> log_weight,
                 const ReferenceEnsemble& reference, std::int64_t points,
                 const EvaluationOptions& options);

// One measure of rows [B, width]: of weighted samples, of samples as drawn, and of the two halves
// of the reference. Together; the ranks share the three.
template <class Measure>
Distance distances(std::span<const double> s, std::span<const double> r, std::size_t width,
                   const Points& at, const Measure& measure, const Ranks& ranks = Ranks::alone()) {
  const auto measured = [&](std::int64_t which) {
    if (which == 0) return measure(pick(s, at.weighted, width), pick(r, at.reference, width));
    if (which == 1) return measure(pick(s, at.raw, width), pick(r, at.reference_of_raw, width));
    return measure(pick(r, at.left, width), pick(r, at.right, width));
  };
  std::vector<double> own;
  const Share share = ranks.share(3);
  for (auto which = share.first; which < share.last; ++which) own.push_back(measured(which));
  const auto all = ranks.gather(std::span<const double>(own));
  return {all[0], all[1], all[2]};
}

}  // namespace arbg::sampling
