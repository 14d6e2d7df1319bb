#include <cmath>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/tanh_gate.h"

namespace arbg::tensor::cpu {

Tensor tanh_gate(const Tensor& x, const Tensor& gate) {
  Tensor y = empty_like(x, x.shape());
  const float open = std::tanh(gate.host_data<float>()[0]);
  for (std::int64_t i = 0; i < x.elements(); ++i)
    y.host_data<float>()[i] = open * x.host_data<float>()[i];
  return y;
}

Tensor tanh_gate_backward(const Tensor& dy, const Tensor& x, const Tensor& gate, Tensor* dgate) {
  Tensor dx = empty_like(x, x.shape());
  const float open = std::tanh(gate.host_data<float>()[0]);
  double sum = 0;
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    // y[i] = open * x[i], and tanh' = 1 - tanh^2.
    dx.host_data<float>()[i] = dy.host_data<float>()[i] * open;
    sum += static_cast<double>(dy.host_data<float>()[i]) *
           static_cast<double>(x.host_data<float>()[i]);
  }
  if (dgate) dgate->host_data<float>()[0] += static_cast<float>(sum) * (1 - open * open);
  return dx;
}

}  // namespace arbg::tensor::cpu
