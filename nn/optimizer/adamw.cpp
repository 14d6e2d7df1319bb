#include "nn/optimizer/adamw.h"

#include <cmath>

#include "tensor/base/error.h"
#include "tensor/device/for_each_on.h"
#include "tensor/ops/adamw_step.h"
#include "tensor/ops/numbers.h"
#include "tensor/side_by_side.h"

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
    : parameters_(parameters),
      options_(options),
      storages_(tensor::one_of_each_storage(values_of(parameters))),
      first_(tensor::zeros_laid_out_like(values_of(parameters))),
      second_(tensor::zeros_laid_out_like(values_of(parameters))) {}

void AdamW::set_step(double learning_rate, std::int64_t step) {
  if (parameters_.empty()) return;
  const Backend backend = parameters_[0].variable.value().backend();
  const double k = static_cast<double>(step);
  tensor::AdamWStep numbers{options_.beta1,
                            options_.beta2,
                            options_.epsilon,
                            1 - learning_rate * options_.weight_decay,
                            learning_rate / (1 - std::pow(options_.beta1, k)),
                            std::sqrt(1 - std::pow(options_.beta2, k))};
  tensor::set_numbers(decaying_, numbers.numbers(), backend);
  numbers.decay = 1;
  tensor::set_numbers(constant_, numbers.numbers(), backend);
}

void AdamW::update(std::span<const Tensor> gradients, const Tensor& scale) {
  require(gradients.size() == parameters_.size(), "AdamW has ", parameters_.size(),
          " parameters, found ", gradients.size(), " gradients");
  for (std::size_t i = 0; i < gradients.size(); ++i) require_fits(gradients[i], parameters_[i]);
  tensor::for_each_on(scale.device(), std::ssize(storages_), [&](std::int64_t index) {
    const auto i = storages_[static_cast<std::size_t>(index)];
    Tensor weight = parameters_[i].variable.value().whole(), first = first_[i].whole(),
           second = second_[i].whole();
    tensor::adamw_step(weight, gradients[i].whole(), first, second, scale,
                       parameters_[i].decays ? decaying_ : constant_);
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

void require_fits(const Tensor& gradient, const Parameter& parameter) {
  const Tensor& value = parameter.variable.value();
  require(gradient.shape() == value.shape(), "the gradient of \"", parameter.name, "\" has shape ",
          gradient.shape(), ", expected ", value.shape());
  require(gradient.first_number() == value.first_number() &&
              gradient.whole().elements() == value.whole().elements(),
          "the gradient of \"", parameter.name,
          "\" does not lie among the others as its value does");
}

void load_moment(Tensor& target, const NamedTensors& saved, const std::string& name) {
  const Tensor source = find_tensor(saved, name);
  require(source.shape() == target.shape(), "the optimiser's state of \"", name, "\" has shape ",
          source.shape(), ", expected ", target.shape());
  target.copy_from(source);
}

}  // namespace arbg::nn
