// y[i] = tanh(gate) x[i]; x, y of one shape, [n], gate [1].
#include <cmath>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/tanh_gate.h"

namespace arbg::tensor::reference {

Tensor tanh_gate(const Tensor& x, const Tensor& gate) {
  Tensor y = empty_like(x, x.shape());
  const double open = std::tanh(gate.data<double>()[0]);
  for (std::int64_t i = 0; i < x.elements(); ++i) y.data<double>()[i] = open * x.data<double>()[i];
  return y;
}

Tensor tanh_gate_backward(const Tensor& dy, const Tensor& x, const Tensor& gate, Tensor* dgate) {
  Tensor dx = empty_like(x, x.shape());
  const double open = std::tanh(gate.data<double>()[0]);
  double sum = 0;
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    // y[i] = open * x[i], and tanh' = 1 - tanh^2.
    dx.data<double>()[i] = dy.data<double>()[i] * open;
    sum += dy.data<double>()[i] * x.data<double>()[i];
  }
  if (dgate) dgate->data<double>()[0] += sum * (1 - open * open);
  return dx;
}

}  // namespace arbg::tensor::reference
