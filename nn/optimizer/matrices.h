// Which parameters an optimiser of matrices takes; the others are AdamW's.
#pragma once

#include <vector>

#include "nn/transformer/module.h"

namespace arbg::nn {

inline bool is_matrix(const Parameter& parameter) {
  return parameter.variable.value().shape().rank() == 2 && parameter.decays;
}

inline std::vector<Parameter> without_matrices(std::vector<Parameter> parameters) {
  std::erase_if(parameters, is_matrix);
  return parameters;
}

}  // namespace arbg::nn
