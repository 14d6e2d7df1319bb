// Three-vectors and functions of a thread, for float and double: what the NAME_cuda.cuh of terms
// share.
#pragma once

#include "tensor/device/kernel.cuh"

namespace arbg::md::cuda {

using namespace tensor::cuda;

template <class T>
struct Vector {
  T x, y, z;

  __device__ Vector& operator+=(const Vector& b) {
    x += b.x, y += b.y, z += b.z;
    return *this;
  }
};

template <class T>
__device__ Vector<T> operator+(const Vector<T>& a, const Vector<T>& b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z};
}
template <class T>
__device__ Vector<T> operator-(const Vector<T>& a, const Vector<T>& b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}
template <class T>
__device__ Vector<T> scaled(T s, const Vector<T>& a) {
  return {s * a.x, s * a.y, s * a.z};
}
template <class T>
__device__ T dot(const Vector<T>& a, const Vector<T>& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}
template <class T>
__device__ Vector<T> cross(const Vector<T>& a, const Vector<T>& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

// The functions of CUDA by the type of their argument. 1/x and exp of a float are the fast ones,
// with 2 units in the last place and, of exp, 1.2 |x| more.
__device__ inline float inverse(float x) { return __fdividef(1.0F, x); }
__device__ inline double inverse(double x) { return 1 / x; }
__device__ inline float root(float x) { return sqrtf(x); }
__device__ inline double root(double x) { return sqrt(x); }
__device__ inline float inverse_root(float x) { return rsqrtf(x); }
__device__ inline double inverse_root(double x) { return rsqrt(x); }
__device__ inline float exponential(float x) { return __expf(x); }
__device__ inline double exponential(double x) { return exp(x); }
__device__ inline float logarithm(float x) { return logf(x); }
__device__ inline double logarithm(double x) { return log(x); }
__device__ inline float angle_of(float sine, float cosine) { return atan2f(sine, cosine); }
__device__ inline double angle_of(double sine, double cosine) { return atan2(sine, cosine); }
__device__ inline float hyperbolic_tangent(float x) { return tanhf(x); }
__device__ inline double hyperbolic_tangent(double x) { return tanh(x); }

}  // namespace arbg::md::cuda
