// The derivative of positions_from_internal(), backwards: from df/dx to df/dz.
#include <cmath>
#include <vector>

#include "md/coordinates/zmatrix.h"
#include "md/molecule/vector3.h"

namespace arbg::md {
namespace {

// What dy of y = unit(x) is in terms of x.
Vector3 unit_gradient(const Vector3& y, double norm_of_x, const Vector3& dy) {
  return (1 / norm_of_x) * (dy - dot(y, dy) * y);
}

}  // namespace

// Rows from last to first: when a row is met, every atom that hangs on it has passed its derivative
// down. Quoted are the lines of place() in zmatrix.cpp that are differentiated; d(a x b) gives
// da = b x d, db = d x a.
void internal_gradient(const ZMatrix& zmatrix, std::span<const double> z,
                       std::span<const double> positions_nm, std::span<const double> dpositions,
                       std::span<double> dz) {
  std::vector<double> sums(dpositions.begin(), dpositions.end());
  const auto position = [&](int atom) { return at(positions_nm, atom); };
  for (std::size_t m = zmatrix.size() - 1; m >= 3; --m) {
    const ZMatrixRow& row = zmatrix[m];
    const auto j = static_cast<std::size_t>(first_coordinate(static_cast<int>(m)));
    const double r = z[j], theta = z[j + 1], phi = z[j + 2];
    const Vector3 bond = position(row.parent) - position(row.grandparent);
    const Vector3 arm = position(row.grandparent) - position(row.reference);
    const Vector3 axis = unit(bond), plane = cross(arm, axis), normal = unit(plane);
    const Vector3 side = cross(normal, axis);
    const double along = -r * std::cos(theta), out = r * std::sin(theta);
    const double x = out * std::cos(phi), y = out * std::sin(phi);
    const Vector3 d = at(sums, row.atom);

    dz[j] = dot(d, position(row.atom) - position(row.parent)) / r;
    dz[j + 1] = out * dot(d, axis) -
                along * (std::cos(phi) * dot(d, side) + std::sin(phi) * dot(d, normal));
    dz[j + 2] = x * dot(d, normal) - y * dot(d, side);

    // return parent + along * axis + x * side + y * normal;
    Vector3 daxis = along * d, dnormal = y * d;
    const Vector3 dside = x * d;
    // side = cross(normal, axis)
    dnormal = dnormal + cross(axis, dside);
    daxis = daxis + cross(dside, normal);
    // normal = unit(cross(grandparent - reference, axis))
    const Vector3 dplane = unit_gradient(normal, norm(plane), dnormal);
    const Vector3 darm = cross(axis, dplane);
    daxis = daxis + cross(dplane, arm);
    // axis = unit(parent - grandparent)
    const Vector3 dbond = unit_gradient(axis, norm(bond), daxis);
    add_force(sums, row.parent, d + dbond);
    add_force(sums, row.grandparent, darm - dbond);
    add_force(sums, row.reference, -1 * darm);
  }
  // The second atom at (z_0, 0, 0), the third at (z_0 - r cos(theta), r sin(theta), 0).
  const Vector3 second = at(sums, zmatrix[1].atom), third = at(sums, zmatrix[2].atom);
  const double r = z[1], c = std::cos(z[2]), s = std::sin(z[2]);
  dz[0] = second.x + third.x;
  dz[1] = -c * third.x + s * third.y;
  dz[2] = r * (s * third.x + c * third.y);
}

}  // namespace arbg::md
