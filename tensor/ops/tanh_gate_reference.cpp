// y[i] = tanh(gate) x[i]; x, y of one shape, [n], gate [1].
#include <cmath>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/tanh_gate.h"

namespace arbg::tensor::reference {

Tensor tanh_gate(const Tensor& x, const Tensor& gate) {
  Tensor y = empty_like(x, x.shape());
  const double open = std::tanh(gate.host_data<double>()[0]);
  for (std::int64_t i = 0; i < x.elements(); ++i)
    y.host_data<double>()[i] = open * x.host_data<double>()[i];
  return y;
}

Tensor tanh_gate_backward(const Tensor& dy, const Tensor& x, const Tensor& gate, Tensor* dgate) {
  Tensor dx = empty_like(x, x.shape());
  const double open = std::tanh(gate.host_data<double>()[0]);
  double sum = 0;
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    // y[i] = open * x[i], and tanh' = 1 - tanh^2.
    dx.host_data<double>()[i] = dy.host_data<double>()[i] * open;
    sum += dy.host_data<double>()[i] * x.host_data<double>()[i];
  }
  if (dgate) dgate->host_data<double>()[0] += sum * (1 - open * open);
  return dx;
}

}  // namespace arbg::tensor::reference
