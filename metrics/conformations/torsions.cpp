#include "metrics/conformations/torsions.h"

#include <cmath>

#include "tensor/base/error.h"

namespace arbg::metrics {
namespace {

using Vector = std::array<double, 3>;

Vector difference(const double* from, const double* to) {
  return {to[0] - from[0], to[1] - from[1], to[2] - from[2]};
}
double dot(const Vector& a, const Vector& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
Vector cross(const Vector& a, const Vector& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

// NaN if the angle is undefined. The bound on the sines, 1e-12, is rounding: below it the plane is
// noise.
double dihedral(const double* i, const double* j, const double* k, const double* l) {
  const Vector a = difference(i, j), b = difference(j, k), c = difference(k, l);
  const Vector n1 = cross(a, b), n2 = cross(b, c);
  const double b_square = dot(b, b);
  const bool planes =
      dot(n1, n1) > 1e-24 * dot(a, a) * b_square && dot(n2, n2) > 1e-24 * dot(c, c) * b_square;
  return planes ? std::atan2(std::sqrt(b_square) * dot(a, n2), dot(n1, n2)) : std::nan("");
}

}  // namespace

std::vector<double> dihedrals(std::span<const double> positions, std::size_t atom_count,
                              std::span<const Quadruple> quadruples) {
  require(atom_count > 0 && positions.size() % (3 * atom_count) == 0,
          "dihedrals expect whole conformations of ", atom_count, " atoms, found ",
          positions.size(), " numbers");
  for (const Quadruple& q : quadruples) {
    for (const int atom : q) {
      require(atom >= 0 && static_cast<std::size_t>(atom) < atom_count, "dihedral of atoms ", q[0],
              " ", q[1], " ", q[2], " ", q[3], ": expected indices 0 to ", atom_count - 1);
    }
  }
  const std::size_t count = positions.size() / (3 * atom_count);
  std::vector<double> angles;
  angles.reserve(count * quadruples.size());
  for (std::size_t b = 0; b < count; ++b) {
    const double* x = positions.data() + 3 * atom_count * b;
    for (const Quadruple& q : quadruples) {
      angles.push_back(dihedral(x + 3 * q[0], x + 3 * q[1], x + 3 * q[2], x + 3 * q[3]));
      require(std::isfinite(angles.back()), "conformation ", b, ": the dihedral of atoms ", q[0],
              " ", q[1], " ", q[2], " ", q[3],
              " is undefined (three atoms in line, or a position that is not finite)");
    }
  }
  return angles;
}

}  // namespace arbg::metrics
