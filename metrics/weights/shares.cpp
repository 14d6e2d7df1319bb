#include "metrics/weights/shares.h"

#include <cmath>

#include "tensor/base/error.h"

namespace arbg::metrics {

std::vector<double> shares(std::span<const double> weights, std::size_t count) {
  require(count > 0, "expected at least one sample, found none");
  if (weights.empty()) return std::vector<double>(count, 1 / static_cast<double>(count));
  require(weights.size() == count, "expected one weight for each of ", count, " values, found ",
          weights.size());
  double total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    require(weights[i] >= 0 && std::isfinite(weights[i]),
            "expected a finite, non-negative weight, found ", weights[i], " at index ", i);
    total += weights[i];
  }
  require(total > 0, "expected a positive sum of weights, found that all ", count, " are zero");
  std::vector<double> normalised(weights.begin(), weights.end());
  for (double& w : normalised) w /= total;
  return normalised;
}

}  // namespace arbg::metrics
