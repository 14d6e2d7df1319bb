#include <cmath>
#include <numbers>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/lane_loops.h"

namespace arbg::tensor::cpu {
namespace {

using One = std::array<Lanes<float>, 1>;
using Two = std::array<Lanes<float>, 2>;

template <class F>
Tensor map(const Tensor& x, const F& f) {
  Tensor y = empty_like(x, x.shape());
  map_lanes<1, 1>(x.elements(), {x.host_data<float>()}, {y.host_data<float>()},
                  [&](const One& in) { return One{f(in[0])}; });
  return y;
}
template <class F>
Tensor map(const Tensor& a, const Tensor& b, const F& f) {
  Tensor y = empty_like(a, a.shape());
  map_lanes<2, 1>(a.elements(), {a.host_data<float>(), b.host_data<float>()},
                  {y.host_data<float>()}, [&](const Two& in) { return One{f(in[0], in[1])}; });
  return y;
}

Lanes<float> normal_density(const Lanes<float>& x) {
  return exp_lanes(-0.5f * x * x) *
         static_cast<float>(std::numbers::inv_sqrtpi / std::numbers::sqrt2);
}

Lanes<float> normal_distribution(const Lanes<float>& x) {
  float lanes[kVector];
  store_lanes<float>(lanes, x);
  for (float& one : lanes) one = 0.5f * std::erfc(-one / std::numbers::sqrt2_v<float>);
  return load_lanes(lanes);
}

}  // namespace

Tensor scale(const Tensor& x, double a) {
  return map(x, [a](const Lanes<float>& X) { return static_cast<float>(a) * X; });
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  return map(a, b, [](const Lanes<float>& A, const Lanes<float>& B) { return A * B; });
}

Tensor square(const Tensor& x) {
  return map(x, [](const Lanes<float>& X) { return X * X; });
}

Tensor square_backward(const Tensor& dy, const Tensor& x) {
  // return X * X;
  return map(dy, x, [](const Lanes<float>& dY, const Lanes<float>& X) { return dY * 2.0f * X; });
}

Tensor gelu(const Tensor& x) {
  return map(x, [](const Lanes<float>& X) { return X * normal_distribution(X); });
}

Tensor gelu_backward(const Tensor& dy, const Tensor& x) {
  // return X * normal_distribution(X);
  return map(dy, x, [](const Lanes<float>& dY, const Lanes<float>& X) {
    return dY * (normal_distribution(X) + X * normal_density(X));
  });
}

}  // namespace arbg::tensor::cpu
