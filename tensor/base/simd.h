// Vectors of numbers that the compiler maps to whatever registers the machine has.
//
// Lanes<T> is one register: 64 bytes with AVX-512, 32 with AVX, 16 with SSE2 and NEON (wider ones
// live in memory under g++ 12). The four operations, comparisons (giving integer masks of -1 and 0)
// and indexing work on them directly. Written with GCC's and Clang's vector extension: no
// intrinsics, no other source for other machines.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <utility>

namespace arbg {

#if defined(__AVX512F__)
inline constexpr int kLaneBytes = 64;
#elif defined(__AVX__)
inline constexpr int kLaneBytes = 32;
#else
inline constexpr int kLaneBytes = 16;
#endif

template <class T>
inline constexpr int kLaneCount = kLaneBytes / static_cast<int>(sizeof(T));

template <class T>
struct LaneTypes;
template <>
struct LaneTypes<float> {
  using Vector __attribute__((vector_size(kLaneBytes))) = float;
  using Mask __attribute__((vector_size(kLaneBytes))) = std::int32_t;
};
template <>
struct LaneTypes<double> {
  using Vector __attribute__((vector_size(kLaneBytes))) = double;
  using Mask __attribute__((vector_size(kLaneBytes))) = std::int64_t;
};
template <class T>
using Lanes = typename LaneTypes<T>::Vector;
template <class T>
using LaneMask = typename LaneTypes<T>::Mask;

template <class T>
inline Lanes<T> load_lanes(const T* from) {  // no alignment needed
  Lanes<T> v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

template <class T>
inline void store_lanes(T* to, const Lanes<T>& v) {
  std::memcpy(to, &v, sizeof v);
}

template <class T>
inline Lanes<T> broadcast(T value) {
  return value - Lanes<T>{};  // x - 0 is x even for x = -0, unlike 0 + x, and costs nothing
}

// Lane by lane: mask ? a : b.
template <class V, class M>
inline V select(const M& mask, const V& a, const V& b) {
  return mask ? a : b;
}

inline Lanes<float> sqrt_lanes(const Lanes<float>& x) {
  Lanes<float> r{};
  for (int i = 0; i < kLaneCount<float>; ++i) r[i] = std::sqrt(x[i]);
  return r;
}
inline Lanes<double> sqrt_lanes(const Lanes<double>& x) {
  Lanes<double> r{};
  for (int i = 0; i < kLaneCount<double>; ++i) r[i] = std::sqrt(x[i]);
  return r;
}

// 1/sqrt(x) for normal positive x with a relative error below 2e-7, without division and root,
// which take several times as long. The first guess halves and negates the exponent (within 3.5 %);
// then two steps of the series of 1/sqrt(1 - e) in what is left, e = 1 - x y^2. NaN stays NaN.
inline Lanes<float> inverse_sqrt_lanes(const Lanes<float>& x) {
  LaneMask<float> bits;
  std::memcpy(&bits, &x, sizeof bits);
  bits = 0x5f3759df - (bits >> 1);
  Lanes<float> y;
  std::memcpy(&y, &bits, sizeof y);
  Lanes<float> e = 1.0f - x * y * y;
  y += y * e * (e * 0.375f + 0.5f);
  e = 1.0f - x * y * y;
  return y + 0.5f * (y * e);
}

// All lanes joined into one by halving, a fixed order: lane i with lane i + 8, say, then + 4, + 2,
// + 1. Written as rotations it stays in registers.
template <int Half, class V, class Join, std::size_t... I>
inline auto join_lanes(const V& x, const Join& join, std::index_sequence<I...> lanes) {
  const V joined = join(x, __builtin_shufflevector(x, x, ((I + Half) % sizeof...(I))...));
  if constexpr (Half == 1)
    return joined[0];
  else
    return join_lanes<Half / 2>(joined, join, lanes);
}
template <class V, class Join>
inline auto join_lanes(const V& x, const Join& join) {
  constexpr int kCount = sizeof(V) / sizeof(x[0]);
  return join_lanes<kCount / 2>(x, join, std::make_index_sequence<kCount>());
}

template <class V>
inline auto sum_lanes(const V& x) {
  return join_lanes(x, [](const V& a, const V& b) { return a + b; });
}

template <class V>
inline auto max_lanes(const V& x) {
  return join_lanes(x, [](const V& a, const V& b) { return select(a > b, a, b); });
}

// Whether any lane of a mask is set: lanes narrowed to bytes, bytes read as numbers.
template <class M>
inline bool any_lane(const M& mask) {
  constexpr int kCount = sizeof(M) / sizeof(mask[0]);
  using Bytes __attribute__((vector_size(kCount))) = std::int8_t;
  const Bytes bytes = __builtin_convertvector(mask, Bytes);
  std::uint64_t words[(kCount + 7) / 8] = {}, any = 0;
  std::memcpy(words, &bytes, sizeof bytes);
  for (const std::uint64_t word : words) any |= word;
  return any != 0;
}

// exp(x) with a relative error below 2e-7 (float) and 4e-16 (double); x below the range of normal
// numbers gives 0, x above it gives infinity, NaN stays NaN. x = n ln2 + r, |r| <= ln2/2, Taylor in
// r.
inline Lanes<float> exp_lanes(const Lanes<float>& x) {
  constexpr float kMagic = 0x1.8p23f;
  const Lanes<float> clamped =
      select(x > 89.0f, broadcast(89.0f), select(x < -88.0f, broadcast(-88.0f), x));
  const Lanes<float> shifted = clamped * 1.44269504f + kMagic;
  const Lanes<float> n = shifted - kMagic;
  const Lanes<float> r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
  Lanes<float> p = broadcast(1.0f / 5040);
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  // 2^n in two factors, so that n = 128 overflows to infinity instead of to garbage.
  const LaneMask<float> whole = __builtin_convertvector(n, LaneMask<float>);
  const LaneMask<float> half = whole >> 1;
  const LaneMask<float> bits1 = (half + 127) << 23, bits2 = (whole - half + 127) << 23;
  Lanes<float> scale1, scale2;
  std::memcpy(&scale1, &bits1, sizeof scale1);
  std::memcpy(&scale2, &bits2, sizeof scale2);
  const Lanes<float> value = p * scale1 * scale2;
  return select(x < -87.3f, broadcast(0.0f), select(x != x, x, value));
}

inline Lanes<double> exp_lanes(const Lanes<double>& x) {
  constexpr double kMagic = 0x1.8p52;
  const Lanes<double> clamped =
      select(x > 710.0, broadcast(710.0), select(x < -709.0, broadcast(-709.0), x));
  const Lanes<double> n = (clamped * 1.4426950408889634 + kMagic) - kMagic;
  const Lanes<double> r =
      (clamped - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  Lanes<double> p = broadcast(1.0 / 6227020800.0);
  for (const double factorial : {479001600.0, 39916800.0, 3628800.0, 362880.0, 40320.0, 5040.0,
                                 720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0}) {
    p = p * r + 1.0 / factorial;
  }
  const LaneMask<double> whole = __builtin_convertvector(n, LaneMask<double>);
  const LaneMask<double> half = whole >> 1;
  const LaneMask<double> bits1 = (half + 1023) << 52, bits2 = (whole - half + 1023) << 52;
  Lanes<double> scale1, scale2;
  std::memcpy(&scale1, &bits1, sizeof scale1);
  std::memcpy(&scale2, &bits2, sizeof scale2);
  const Lanes<double> value = p * scale1 * scale2;
  return select(x < -708.3, broadcast(0.0), select(x != x, x, value));
}

// log(x) for normal positive x, with an absolute error below 1e-7 + 1e-7 |log x| (float) and 3e-16
// scaled alike (double). x = m 2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 artanh((m-1)/(m+1)).
// Not for x <= 0.
inline Lanes<float> log_lanes(const Lanes<float>& x) {
  LaneMask<float> bits;
  std::memcpy(&bits, &x, sizeof bits);
  const LaneMask<float> exponent = (bits - 0x3f3504f3) >> 23;
  const LaneMask<float> mantissa = bits - (exponent << 23);
  Lanes<float> m;
  std::memcpy(&m, &mantissa, sizeof m);
  const Lanes<float> s = (m - 1.0f) / (m + 1.0f), s2 = s * s;
  const Lanes<float> series = ((s2 * (1.0f / 9) + 1.0f / 7) * s2 + 1.0f / 5) * s2 + 1.0f / 3;
  const Lanes<float> e = __builtin_convertvector(exponent, Lanes<float>);
  return e * 0.693147181f + (2.0f * s + 2.0f * s * s2 * series);
}

inline Lanes<double> log_lanes(const Lanes<double>& x) {
  LaneMask<double> bits;
  std::memcpy(&bits, &x, sizeof bits);
  const LaneMask<double> exponent = (bits - 0x3fe6a09e667f3bcd) >> 52;
  const LaneMask<double> mantissa = bits - (exponent << 52);
  Lanes<double> m;
  std::memcpy(&m, &mantissa, sizeof m);
  const Lanes<double> s = (m - 1.0) / (m + 1.0), s2 = s * s;
  Lanes<double> series = broadcast(1.0 / 21);
  for (const double odd : {19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0})
    series = series * s2 + 1.0 / odd;
  const Lanes<double> e = __builtin_convertvector(exponent, Lanes<double>);
  return e * 6.93147180369123816490e-01 +
         (2.0 * s + (2.0 * s * s2 * series + e * 1.90821492927058770002e-10));
}

template <class V>
inline V abs_lanes(const V& x) {
  return select(x < 0, -x, x);
}

// atan2(y, x) in [-pi, pi] with an absolute error below 4e-7 (float) and 1e-15 (double); NaN where
// both are 0. Smaller over larger magnitude, brought to |t| <= tan(pi/8) by pi/4, Taylor in t.
template <class T>
inline Lanes<T> atan2_lanes(const Lanes<T>& y, const Lanes<T>& x) {
  constexpr int kLastOdd = sizeof(T) == 4 ? 17 : 41;
  constexpr T kPi = static_cast<T>(3.14159265358979323846),
              kTanEighth = static_cast<T>(0.41421356237309504880);
  const Lanes<T> ax = abs_lanes(x), ay = abs_lanes(y);
  const LaneMask<T> steep = ay > ax;
  const Lanes<T> low = select(steep, ax, ay), high = select(steep, ay, ax);
  const LaneMask<T> wide = low > kTanEighth * high;
  const Lanes<T> t = select(wide, low - high, low) / select(wide, low + high, high);
  const Lanes<T> minus_t2 = -(t * t);
  Lanes<T> series = broadcast<T>(T(1) / kLastOdd);
  for (int odd = kLastOdd - 2; odd > 0; odd -= 2)
    series = series * minus_t2 + T(1) / static_cast<T>(odd);
  Lanes<T> angle = t * series + select(wide, broadcast<T>(kPi / 4), Lanes<T>{});
  angle = select(steep, kPi / 2 - angle, angle);
  angle = select(x < 0, kPi - angle, angle);
  return select(y < 0, -angle, angle);
}

// acos(x) in [0, pi] with an absolute error below 5e-7; |x| a little above 1 counts as 1, NaN stays
// NaN. asin of |x|, or beyond 1/2 of sqrt((1 - |x|)/2), by the polynomial of asinf in Moshier's
// Cephes library.
inline Lanes<float> acos_lanes(const Lanes<float>& x) {
  constexpr float kPi = 3.14159265f;
  const Lanes<float> size = abs_lanes(x), half_rest = 0.5f - 0.5f * size;
  const LaneMask<float> large = size > 0.5f;
  const Lanes<float> z = select(large, select(half_rest < 0.0f, Lanes<float>{}, half_rest), x * x);
  const Lanes<float> y = select(large, sqrt_lanes(z), size);
  Lanes<float> series = broadcast(4.2163199048e-2f);
  for (const float c : {2.4181311049e-2f, 4.5470025998e-2f, 7.4953002686e-2f, 1.6666752422e-1f})
    series = series * z + c;
  const Lanes<float> asin = y + y * z * series;
  const Lanes<float> angle = select(large, 2.0f * asin, kPi / 2 - asin);  // acos |x|
  return select(x < 0.0f, kPi - angle, angle);
}

// Sine and cosine of 2 pi u, |u| < 2^20, with an absolute error below 2e-7: Taylor in a quarter.
inline void sincos_turns(const Lanes<float>& u, Lanes<float>& sine, Lanes<float>& cosine) {
  constexpr float kMagic = 0x1.8p23f;
  const Lanes<float> quarters = (u * 4.0f + kMagic) - kMagic;
  const Lanes<float> r = (u - quarters * 0.25f) * 6.28318531f, r2 = r * r;
  const Lanes<float> s =
      r + r * r2 * (-1.0f / 6 + r2 * (1.0f / 120 + r2 * (-1.0f / 5040 + r2 * (1.0f / 362880))));
  const Lanes<float> c =
      1.0f + r2 * (-0.5f + r2 * (1.0f / 24 + r2 * (-1.0f / 720 + r2 * (1.0f / 40320))));
  const LaneMask<float> turn = __builtin_convertvector(quarters, LaneMask<float>);
  const LaneMask<float> odd = (turn & 1) != 0;
  const Lanes<float> along = select(odd, c, s), across = select(odd, s, c);
  sine = select((turn & 2) != 0, -along, along);
  cosine = select(((turn + 1) & 2) != 0, -across, across);
}

}  // namespace arbg
