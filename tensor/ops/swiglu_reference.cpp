// y[i] = gate[i] sigmoid(gate[i]) up[i]; all of one shape, [n].
#include <cmath>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/swiglu.h"

namespace arbg::tensor::reference {
namespace {

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

}  // namespace

Tensor swiglu(const Tensor& gate, const Tensor& up, Readers) {
  Tensor y = empty_like(gate, gate.shape());
  const double* G = gate.host_data<double>();
  const double* U = up.host_data<double>();
  double* Y = y.host_data<double>();
  for (std::int64_t i = 0; i < gate.elements(); ++i) Y[i] = G[i] * sigmoid(G[i]) * U[i];
  return y;
}

SwigluGradients swiglu_backward(const Tensor& dy, const Tensor& gate, const Tensor& up, Readers) {
  SwigluGradients gradients{empty_like(gate, gate.shape()), empty_like(up, up.shape())};
  const double* dY = dy.host_data<double>();
  const double* G = gate.host_data<double>();
  const double* U = up.host_data<double>();
  double* dG = gradients.dgate.host_data<double>();
  double* dU = gradients.dup.host_data<double>();
  for (std::int64_t i = 0; i < gate.elements(); ++i) {
    // Y[i] = G[i] * sigmoid(G[i]) * U[i], and sigmoid' = sigmoid (1 - sigmoid).
    const double s = sigmoid(G[i]);
    dG[i] = dY[i] * U[i] * (s + G[i] * s * (1.0 - s));
    dU[i] = dY[i] * G[i] * s;
  }
  return gradients;
}

}  // namespace arbg::tensor::reference
