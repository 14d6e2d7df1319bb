#include "nn/optimizer/matrices.h"

#include "tensor/base/error.h"

namespace arbg::nn {
namespace {

std::vector<Parameter> without_matrices(std::vector<Parameter> parameters) {
  std::erase_if(parameters, is_matrix);
  return parameters;
}

}  // namespace

AdamWOfOthers::AdamWOfOthers(const std::vector<Parameter>& parameters, AdamWOptions options)
    : AdamW(without_matrices(parameters), options), count_(parameters.size()) {
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (!is_matrix(parameters[i])) index_.push_back(i);
}

void AdamWOfOthers::update(std::span<const Tensor> gradients, const Tensor& scale) {
  require(gradients.size() == count_, "the optimiser has ", count_, " parameters, found ",
          gradients.size(), " gradients");
  std::vector<Tensor> own;
  for (const auto i : index_) own.push_back(gradients[i]);
  AdamW::update(own, scale);
}

}  // namespace arbg::nn
