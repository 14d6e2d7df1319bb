// Points as the audit computes with them: written again, so that it does not lean on the vectors of
// what it judges.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <span>

namespace arbg::sampling {

using Point = std::array<double, 3>;

// Of an atom, x [N, 3].
inline Point point(std::span<const double> x, std::size_t atom) {
  return {x[3 * atom], x[3 * atom + 1], x[3 * atom + 2]};
}
inline Point minus(const Point& a, const Point& b) {
  return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}
inline double dot(const Point& a, const Point& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
inline double length(const Point& a) { return std::sqrt(dot(a, a)); }

}  // namespace arbg::sampling
