#include "tensor/ops/dispatch.h"
#include "tensor/ops/lane_loops.h"
#include "tensor/ops/swiglu.h"

namespace arbg::tensor::cpu {
namespace {

Lanes<float> sigmoid(const Lanes<float>& x) { return 1.0f / (1.0f + exp_lanes(-x)); }

}  // namespace

Tensor swiglu(const Tensor& gate, const Tensor& up, Readers) {
  Tensor y = empty_like(gate, gate.shape());
  map_lanes<2, 1>(gate.elements(), {gate.host_data<float>(), up.host_data<float>()},
                  {y.host_data<float>()}, [](const std::array<Lanes<float>, 2>& x) {
                    const auto& [g, u] = x;
                    return std::array{g * sigmoid(g) * u};
                  });
  return y;
}

SwigluGradients swiglu_backward(const Tensor& dy, const Tensor& gate, const Tensor& up, Readers) {
  SwigluGradients gradients{empty_like(gate, gate.shape()), empty_like(up, up.shape())};
  map_lanes<3, 2>(gate.elements(),
                  {dy.host_data<float>(), gate.host_data<float>(), up.host_data<float>()},
                  {gradients.dgate.host_data<float>(), gradients.dup.host_data<float>()},
                  [](const std::array<Lanes<float>, 3>& x) {
                    // g * sigmoid(g) * u, and sigmoid' = sigmoid (1 - sigmoid).
                    const auto& [d, g, u] = x;
                    const Lanes<float> s = sigmoid(g);
                    return std::array{d * u * (s + g * s * (1.0f - s)), d * g * s};
                  });
  return gradients;
}

}  // namespace arbg::tensor::cpu
