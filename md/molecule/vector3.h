// Vectors of three doubles, for plain formulas: force terms, bond angles, dihedrals.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

namespace arbg::md {

struct Vector3 {
  double x = 0, y = 0, z = 0;
};

inline Vector3 operator+(const Vector3& a, const Vector3& b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z};
}
inline Vector3 operator-(const Vector3& a, const Vector3& b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}
inline Vector3 operator*(double s, const Vector3& a) { return {s * a.x, s * a.y, s * a.z}; }

inline double dot(const Vector3& a, const Vector3& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vector3 cross(const Vector3& a, const Vector3& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline double norm(const Vector3& a) { return std::sqrt(dot(a, a)); }
inline Vector3 unit(const Vector3& a) { return (1.0 / norm(a)) * a; }

// Angle a - centre - b in [0, pi]. atan2 of sine and cosine keeps full precision near 0 and pi,
// where acos loses half the digits.
inline double angle(const Vector3& a, const Vector3& centre, const Vector3& b) {
  const Vector3 u = a - centre, v = b - centre;
  return std::atan2(norm(cross(u, v)), dot(u, v));
}

// Dihedral a - b - c - d in [-pi, pi], IUPAC sign: positive is clockwise, looking from b to c.
inline double dihedral(const Vector3& a, const Vector3& b, const Vector3& c, const Vector3& d) {
  const Vector3 ab = b - a, bc = c - b, cd = d - c;
  const Vector3 n1 = cross(ab, bc), n2 = cross(bc, cd);
  return std::atan2(norm(bc) * dot(ab, n2), dot(n1, n2));
}

// Atom `atom` of positions [N, 3].
inline Vector3 at(std::span<const double> positions, int atom) {
  const auto i = 3 * static_cast<std::size_t>(atom);
  return {positions[i], positions[i + 1], positions[i + 2]};
}

inline void set_position(std::span<double> positions, int atom, const Vector3& to) {
  const auto i = 3 * static_cast<std::size_t>(atom);
  positions[i] = to.x;
  positions[i + 1] = to.y;
  positions[i + 2] = to.z;
}

// forces[atom] += f; an empty span means that nobody asked for forces.
inline void add_force(std::span<double> forces, int atom, const Vector3& f) {
  if (forces.empty()) return;
  const auto i = 3 * static_cast<std::size_t>(atom);
  forces[i] += f.x;
  forces[i + 1] += f.y;
  forces[i + 2] += f.z;
}

}  // namespace arbg::md
