#include "nn/optimizer/adamw.h"

#include <cmath>

#include "tensor/base/error.h"
#include "tensor/base/threads.h"
#include "tensor/ops/adamw_step.h"
#include "tensor/ops/sum_of_squares.h"

namespace arbg::nn {
namespace {

NamedTensors named(const std::vector<Parameter>& parameters, const std::vector<Tensor>& tensors) {
  NamedTensors list;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    list.emplace_back(parameters[i].name, tensors[i]);
  return list;
}

}  // namespace

AdamW::AdamW(const std::vector<Parameter>& parameters, AdamWOptions options)
    : parameters_(parameters), options_(options) {
  for (const auto& parameter : parameters_) {
    const Tensor& value = parameter.variable.value();
    first_.push_back(Tensor::zeros(value.shape(), value.dtype(), value.backend()));
    second_.push_back(Tensor::zeros(value.shape(), value.dtype(), value.backend()));
  }
}

void AdamW::update(std::span<const Tensor> gradients, double gradient_scale, double learning_rate,
                   std::int64_t step) {
  require(gradients.size() == parameters_.size(), "AdamW has ", parameters_.size(),
          " parameters, found ", gradients.size(), " gradients");
  const double k = static_cast<double>(step);
  const double step_size = learning_rate / (1 - std::pow(options_.beta1, k));
  const double root_correction2 = std::sqrt(1 - std::pow(options_.beta2, k));
  parallel_for(static_cast<std::int64_t>(parameters_.size()), [&](std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    Tensor weight = parameters_[i].variable.value();
    require(gradients[i].shape() == weight.shape(), "the gradient of \"", parameters_[i].name,
            "\" has shape ", gradients[i].shape(), ", expected ", weight.shape());
    const double decay = parameters_[i].decays ? 1 - learning_rate * options_.weight_decay : 1.0;
    tensor::adamw_step(weight, gradients[i], first_[i], second_[i],
                       {gradient_scale, options_.beta1, options_.beta2, options_.epsilon, decay,
                        step_size, root_correction2});
  });
}

NamedTensors AdamW::first_moments() const { return named(parameters_, first_); }
NamedTensors AdamW::second_moments() const { return named(parameters_, second_); }

void AdamW::load(const NamedTensors& first, const NamedTensors& second) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    load_moment(first_[i], first, parameters_[i].name);
    load_moment(second_[i], second, parameters_[i].name);
  }
}

void load_moment(Tensor& target, const NamedTensors& saved, const std::string& name) {
  const Tensor source = find_tensor(saved, name);
  require(source.shape() == target.shape(), "the optimiser's state of \"", name, "\" has shape ",
          source.shape(), ", expected ", target.shape());
  target.copy_from(source);
}

double gradient_norm(std::span<const Tensor> gradients) {
  return std::sqrt(tensor::sum_of_squares(gradients).item());
}

}  // namespace arbg::nn
