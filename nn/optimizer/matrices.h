// Which parameters an optimiser of matrices takes; the others are AdamW's.
#pragma once

#include <span>
#include <vector>

#include "nn/optimizer/adamw.h"

namespace arbg::nn {

inline bool is_matrix(const Parameter& parameter) {
  return parameter.variable.value().shape().rank() == 2 && parameter.decays;
}

// AdamW of all that is no matrix. update() is told all gradients, and takes those of its own.
class AdamWOfOthers final : public AdamW {
 public:
  AdamWOfOthers(const std::vector<Parameter>& parameters, AdamWOptions options);
  void update(std::span<const Tensor> gradients, const Tensor& scale) override;

 private:
  std::size_t count_;  // of all parameters
  std::vector<std::size_t> index_;
};

}  // namespace arbg::nn
