// Three-vectors in SIMD lanes: one atom of kLaneCount<T> conformations.
#pragma once

#include "tensor/base/simd.h"

namespace arbg::md {

template <class T>
struct LaneVector {
  Lanes<T> x, y, z;

  LaneVector& operator+=(const LaneVector& b) {
    x += b.x, y += b.y, z += b.z;
    return *this;
  }
  LaneVector& operator-=(const LaneVector& b) {
    x -= b.x, y -= b.y, z -= b.z;
    return *this;
  }
};

template <class T>
inline LaneVector<T> operator+(const LaneVector<T>& a, const LaneVector<T>& b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z};
}

template <class T>
inline LaneVector<T> operator-(const LaneVector<T>& a, const LaneVector<T>& b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}

template <class T>
inline LaneVector<T> scaled(const Lanes<T>& s, const LaneVector<T>& a) {
  return {s * a.x, s * a.y, s * a.z};
}

template <class T>
inline Lanes<T> dot(const LaneVector<T>& a, const LaneVector<T>& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

template <class T>
inline LaneVector<T> cross(const LaneVector<T>& a, const LaneVector<T>& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

}  // namespace arbg::md
