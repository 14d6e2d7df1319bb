// A running mean of the weights: a += (w - a)(1 - d), d = min(decay, (1 + k) / (10 + k)) at step k
// = 1, 2, ...
//
// The smaller d of the first steps forgets the random start. Decay 0 keeps nothing. Source:
// Polyak and Juditsky, SIAM J. Control Optim. 1992; the ramp is the one customary since TensorFlow.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/transformer/module.h"

namespace arbg::nn {

class WeightAverage {
 public:
  WeightAverage(const std::vector<Parameter>& parameters, double decay);

  // As Optimizer's: what the update is made with; then the update, in which the host looks at no
  // number and which does nothing where the scale of the gradients is NaN.
  void set_step(std::int64_t step);
  void update(const Tensor& scale);
  NamedTensors values() const;  // sharing storage; empty if decay is 0
  void load(const NamedTensors& values);

 private:
  std::vector<Parameter> parameters_;
  double decay_;
  std::vector<std::size_t> storages_;  // as AdamW's
  std::vector<Tensor> average_;
  Tensor rate_;  // 1 - d of the step
};

}  // namespace arbg::nn
