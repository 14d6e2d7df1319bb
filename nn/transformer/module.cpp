#include "nn/transformer/module.h"

#include <algorithm>

#include "tensor/base/error.h"
#include "tensor/base/nearest_name.h"

namespace arbg::nn {

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
  for (const auto& parameter : parameters_) parameter.variable.clear_grad();
}

Variable Module::add_parameter(std::string name, Tensor value, bool decays) {
  parameters_.push_back({std::move(name), Variable::parameter(std::move(value)), decays});
  return parameters_.back().variable;
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
