#include "nn/optimizer/weight_average.h"

#include <algorithm>
#include <array>

#include "tensor/base/error.h"
#include "tensor/device/for_each_on.h"
#include "tensor/ops/blend.h"
#include "tensor/ops/numbers.h"
#include "tensor/side_by_side.h"

namespace arbg::nn {

WeightAverage::WeightAverage(const std::vector<Parameter>& parameters, double decay)
    : parameters_(parameters), decay_(decay) {
  if (decay == 0) return;
  storages_ = tensor::one_of_each_storage(values_of(parameters_));
  average_ = tensor::zeros_laid_out_like(values_of(parameters_));
  for (std::size_t i = 0; i < average_.size(); ++i)
    average_[i].copy_from(parameters_[i].variable.value());
}

void WeightAverage::set_step(std::int64_t step) {
  if (average_.empty()) return;
  const double k = static_cast<double>(step), decay = std::min(decay_, (1 + k) / (10 + k));
  tensor::set_numbers(rate_, std::array{1 - decay}, average_[0].backend());
}

void WeightAverage::update(const Tensor& scale) {
  tensor::for_each_on(scale.device(), std::ssize(storages_), [&](std::int64_t index) {
    const auto i = storages_[static_cast<std::size_t>(index)];
    Tensor average = average_[i].whole();
    tensor::blend(average, parameters_[i].variable.value().whole(), scale, rate_);
  });
}

NamedTensors WeightAverage::values() const {
  NamedTensors list;
  for (std::size_t i = 0; i < average_.size(); ++i)
    list.emplace_back(parameters_[i].name, average_[i]);
  return list;
}

void WeightAverage::load(const NamedTensors& values) {
  for (std::size_t i = 0; i < average_.size(); ++i) {
    const Tensor saved = find_tensor(values, parameters_[i].name);
    require(saved.shape() == average_[i].shape(), "the averaged weight \"", parameters_[i].name,
            "\" has shape ", saved.shape(), ", expected ", average_[i].shape());
    average_[i].copy_from(saved);
  }
}

}  // namespace arbg::nn
