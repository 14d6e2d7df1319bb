// AdamW: Adam with decoupled weight decay, every operation in the order of torch.optim.AdamW.
//
// w *= 1 - lr decay; m += (g - m)(1 - beta1); v = beta2 v + (1 - beta2) g^2;
// w -= lr / (1 - beta1^k) * m / (sqrt(v) / sqrt(1 - beta2^k) + epsilon), k = 1 at the first step.
// Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019. Each
// number is updated by itself: results do not depend on threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nn/optimizer/optimizer.h"

namespace arbg::nn {

struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0.01;
};

class AdamW : public Optimizer {
 public:
  AdamW(const std::vector<Parameter>& parameters, AdamWOptions options);

  void set_step(double learning_rate, std::int64_t step) override;
  void update(std::span<const Tensor> gradients, const Tensor& scale) override;

  NamedTensors first_moments() const override;
  NamedTensors second_moments() const override;
  void load(const NamedTensors& first, const NamedTensors& second) override;

 private:
  std::vector<Parameter> parameters_;
  AdamWOptions options_;
  std::vector<std::size_t> storages_;  // one parameter of each that the values lie in
  std::vector<Tensor> first_, second_;
  Tensor decaying_, constant_;  // numbers of the step, of parameters that decay and of others
};

}  // namespace arbg::nn
