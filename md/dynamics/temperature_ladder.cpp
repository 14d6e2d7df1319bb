#include "md/dynamics/temperature_ladder.h"

#include <algorithm>
#include <cmath>

#include "tensor/base/error.h"

namespace arbg::md {

std::vector<double> temperature_ladder(double low_kelvin, double high_kelvin, int count) {
  require(low_kelvin > 0 && high_kelvin >= low_kelvin,
          "expected temperatures 0 < low <= high, found ", low_kelvin, " K and ", high_kelvin,
          " K");
  require(count >= 1, "expected a ladder of at least one temperature, found ", count);
  std::vector<double> ladder = {low_kelvin};
  for (int k = 1; k < count; ++k) {
    ladder.push_back(low_kelvin *
                     std::pow(high_kelvin / low_kelvin, k / static_cast<double>(count - 1)));
  }
  return ladder;
}

double expected_swap_acceptance(int atoms, double cold_kelvin, double hot_kelvin) {
  const double vibrations = std::max(1, 3 * atoms - 6), ratio = hot_kelvin / cold_kelvin;
  return std::erfc(std::sqrt(vibrations) / 2 * (ratio - 1) / std::sqrt(1 + ratio * ratio));
}

int ladder_size(int atoms, double low_kelvin, double high_kelvin) {
  constexpr double kEnough = 0.25;
  if (low_kelvin == high_kelvin) return 1;
  int count = 2;
  for (;; ++count) {
    const std::vector<double> ladder = temperature_ladder(low_kelvin, high_kelvin, count);
    if (expected_swap_acceptance(atoms, ladder[0], ladder[1]) >= kEnough) return count;
  }
}

}  // namespace arbg::md
