#include "nn/optimizer/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace arbg::nn {
namespace {

// From `from` at 0 to `to` at 1.
double half_cosine(double from, double to, double fraction) {
  return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * fraction));
}

}  // namespace

double one_cycle(std::int64_t k, std::int64_t n, double largest, double warm_up, double divisor) {
  const double smallest = largest / divisor;
  const double at =
      static_cast<double>(std::clamp<std::int64_t>(k, 0, std::max<std::int64_t>(n - 1, 0)));
  const double last = static_cast<double>(n - 1), top = warm_up * static_cast<double>(n) - 1;
  if (top > 0 && at <= top) return half_cosine(smallest, largest, at / top);
  const double descent_start = std::max(top, 0.0);
  return last > descent_start
             ? half_cosine(largest, smallest, (at - descent_start) / (last - descent_start))
             : largest;
}

double constant_rate(std::int64_t k, std::int64_t n, double largest, double warm_up,
                     double divisor) {
  const double top = warm_up * static_cast<double>(n) - 1;
  return static_cast<double>(k) < top ? one_cycle(k, n, largest, warm_up, divisor) : largest;
}

}  // namespace arbg::nn
