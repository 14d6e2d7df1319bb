// y[i] = f(x[i]) or f(a[i], b[i]); all of one shape, [n].
// scale: a x. multiply: a b. square: x^2. gelu: x Phi(x), Phi the normal distribution function.
#include <cmath>
#include <numbers>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/elementwise.h"

namespace arbg::tensor::reference {
namespace {

double normal_density(double x) {
  return std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::numbers::pi);
}
double normal_distribution(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

// y[i] = f(x[i]) and y[i] = f(a[i], b[i]).
template <class F>
Tensor map(const Tensor& x, F f) {
  Tensor y = empty_like(x, x.shape());
  const double* X = x.host_data<double>();
  double* Y = y.host_data<double>();
  for (std::int64_t i = 0; i < x.elements(); ++i) Y[i] = f(X[i]);
  return y;
}
template <class F>
Tensor map(const Tensor& a, const Tensor& b, F f) {
  Tensor y = empty_like(a, a.shape());
  const double* A = a.host_data<double>();
  const double* B = b.host_data<double>();
  double* Y = y.host_data<double>();
  for (std::int64_t i = 0; i < a.elements(); ++i) Y[i] = f(A[i], B[i]);
  return y;
}

}  // namespace

Tensor scale(const Tensor& x, double a) {
  return map(x, [a](double X) { return a * X; });
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  return map(a, b, [](double A, double B) { return A * B; });
}

Tensor square(const Tensor& x) {
  return map(x, [](double X) { return X * X; });
}

Tensor square_backward(const Tensor& dy, const Tensor& x) {
  // return X * X;
  return map(dy, x, [](double dY, double X) { return dY * 2.0 * X; });
}

Tensor gelu(const Tensor& x) {
  return map(x, [](double X) { return X * normal_distribution(X); });
}

Tensor gelu_backward(const Tensor& dy, const Tensor& x) {
  // return X * normal_distribution(X);
  return map(dy, x, [](double dY, double X) {
    return dY * (normal_distribution(X) + X * normal_density(X));
  });
}

}  // namespace arbg::tensor::reference
