#include "nn/transformer/module.h"

#include <algorithm>
#include <map>

#include "tensor/base/error.h"
#include "tensor/base/nearest_name.h"
#include "tensor/side_by_side.h"

namespace arbg::nn {
namespace {

bool is_on_host(const std::vector<Parameter>& parameters) {
  return parameters.empty() || parameters[0].variable.value().device().is_host();
}

}  // namespace

std::int64_t Module::parameter_count() const {
  std::int64_t count = 0;
  for (const auto& parameter : parameters_) count += parameter.variable.value().elements();
  return count;
}

NamedTensors Module::values() const {
  NamedTensors values;
  for (const auto& [name, variable, decays] : parameters_)
    values.emplace_back(name, variable.value());
  return values;
}

void require_weight_shape(const std::string& name, const Shape& found, const Shape& expected) {
  require(found == expected, "the weight \"", name, "\" has shape ", found,
          ", the config asks for ", expected);
}

void Module::require_known(const NamedTensors& values) const {
  std::vector<std::string_view> known;
  for (const auto& parameter : parameters_) known.push_back(parameter.name);
  for (const auto& value : values) {
    const std::string& name = value.first;
    if (std::ranges::find(known, name) != known.end()) continue;
    fail("the weights hold \"", name, "\", which the network described by the config does not have",
         nearest_hint(name, known));
  }
}

void Module::load(const NamedTensors& values) {
  require_known(values);
  for (const auto& [name, variable, decays] : parameters_) {
    const Tensor source = find_tensor(values, name);
    Tensor target = variable.value();
    require_weight_shape(name, source.shape(), target.shape());
    target.copy_from(source);
  }
}

void Module::clear_gradients() const {
  for (Tensor storage : kept_gradients_) storage.fill(0.0);
  if (!kept_gradients_.empty()) return;
  for (const auto& parameter : parameters_) parameter.variable.clear_grad();
}

void Module::keep_gradients() {
  if (is_on_host(parameters_)) return;
  const auto gradients = tensor::zeros_laid_out_like(values_of(parameters_));
  for (std::size_t i = 0; i < gradients.size(); ++i)
    parameters_[i].variable.keep_grad_in(gradients[i]);
  kept_gradients_.clear();
  for (const auto i : tensor::one_of_each_storage(gradients))
    kept_gradients_.push_back(gradients[i].whole());
}

void Module::lay_out_values() {
  if (is_on_host(parameters_)) return;
  std::map<std::pair<bool, int>, std::vector<Parameter>> kinds;
  for (const auto& parameter : parameters_)
    kinds[{parameter.decays, parameter.variable.value().shape().rank()}].push_back(parameter);
  for (const auto& [kind, parameters] : kinds) {
    const auto values = tensor::side_by_side(values_of(parameters));
    for (std::size_t i = 0; i < values.size(); ++i) parameters[i].variable.keep_value_in(values[i]);
  }
}

Variable Module::add_parameter(std::string name, Tensor value, bool decays) {
  parameters_.push_back({std::move(name), Variable::parameter(std::move(value)), decays});
  return parameters_.back().variable;
}

std::vector<Tensor> values_of(const std::vector<Parameter>& parameters) {
  std::vector<Tensor> values;
  for (const auto& parameter : parameters) values.push_back(parameter.variable.value());
  return values;
}

std::vector<Tensor> gradients_of(const std::vector<Parameter>& parameters) {
  std::vector<Tensor> gradients;
  for (const auto& parameter : parameters) gradients.push_back(parameter.variable.grad());
  return gradients;
}

Tensor find_tensor(const NamedTensors& tensors, std::string_view name) {
  const auto found =
      std::ranges::find_if(tensors, [&](const auto& entry) { return entry.first == name; });
  if (found != tensors.end()) return found->second;
  std::vector<std::string_view> there;
  for (const auto& entry : tensors) there.push_back(entry.first);
  fail("there is no tensor named \"", name, "\"", nearest_hint(name, there));
}

}  // namespace arbg::nn
