// Muon: steps of matrices made orthogonal; everything else by AdamW.
//
// For a matrix W [R, C] with gradient g: m += (g - m)(1 - momentum); u = (1 - momentum) g +
// momentum m (Nesterov); X = u / |u| (Frobenius), then five times A = X X^T, X = 3.4445 X +
// (-4.7750 A + 2.0315 A^2) X, which brings the singular values near one; W *= 1 - lr decay; W -= lr
// sqrt(max(1, R / C)) X. Tensors with fewer than two axes, and those that do not decay, take AdamW
// at a tenth of the rate. Source: Jordan et al., "Muon: an optimizer for hidden layers in neural
// networks", 2024, with the settings of the published networks. The same bits on any
// number of threads.
#pragma once

#include "nn/optimizer/matrices.h"

namespace arbg::nn {

struct MuonOptions {
  double momentum = 0.95, weight_decay = 0.01;
  AdamWOptions adamw;  // of the others
  double adamw_ratio = 0.1;
};

class Muon : public Optimizer {
 public:
  Muon(const std::vector<Parameter>& parameters, MuonOptions options);

  void set_step(double learning_rate, std::int64_t step) override;
  void update(std::span<const Tensor> gradients, const Tensor& scale) override;

  // First moments: the momentum of matrices, AdamW's of the others. Second moments: AdamW's.
  NamedTensors first_moments() const override;
  NamedTensors second_moments() const override;
  void load(const NamedTensors& first, const NamedTensors& second) override;

 private:
  std::vector<Parameter> matrices_;
  std::vector<std::size_t> matrix_index_;  // places among all parameters
  MuonOptions options_;
  AdamWOfOthers others_;
  std::vector<Tensor> momentum_;  // of matrices_
  Tensor numbers_;                // of the step of matrices: decay, rate
};

// The matrix with the singular vectors of x and singular values near one.
Tensor orthogonalised(const Tensor& x);

}  // namespace arbg::nn
