#include "sampling/audit/check.h"

#include <cmath>
#include <limits>

namespace arbg::sampling {

double worse(double largest, double value) {
  if (std::isnan(value)) return std::numeric_limits<double>::infinity();
  return value > largest ? value : largest;
}

}  // namespace arbg::sampling
