#include "metrics/statistics/uniformity.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/base/error.h"

namespace arbg::metrics {

double kolmogorov_distance(std::span<const double> values) {
  require(!values.empty(), "expected at least one value on [0, 1], found none");
  for (std::size_t i = 0; i < values.size(); ++i) {
    require(values[i] >= 0 && values[i] <= 1, "expected values on [0, 1], found ", values[i],
            " at index ", i);
  }
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const auto n = static_cast<double>(sorted.size());
  double largest = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double before = static_cast<double>(i) / n, after = static_cast<double>(i + 1) / n;
    largest = std::max({largest, sorted[i] - before, after - sorted[i]});
  }
  return largest;
}

double kolmogorov_bound(double probability) {
  require(probability > 0 && probability < 1, "expected a probability between 0 and 1, found ",
          probability);
  const auto exceeds = [](double t) {
    double sum = 0;
    for (int k = 1; k <= 100; ++k) sum += (k % 2 == 1 ? 2 : -2) * std::exp(-2.0 * k * k * t * t);
    return sum;
  };
  double low = 0.2, high = 20;  // Q(0.2) is 1 within rounding
  for (int halving = 0; halving < 100; ++halving) {
    const double middle = (low + high) / 2;
    (exceeds(middle) > probability ? low : high) = middle;
  }
  return high;
}

}  // namespace arbg::metrics
