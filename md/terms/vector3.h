// Vectors of three doubles, for the force terms written as plain formulas.
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

// Atom `atom` of positions [N, 3].
inline Vector3 at(std::span<const double> positions, int atom) {
  const auto i = 3 * static_cast<std::size_t>(atom);
  return {positions[i], positions[i + 1], positions[i + 2]};
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
