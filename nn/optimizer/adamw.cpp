#include "nn/optimizer/adamw.h"

#include <cmath>
#include <numeric>

#include "tensor/base/error.h"
#include "tensor/base/threads.h"

namespace arbg::nn {
namespace {

struct StepNumbers {  // of one update, in double until they meet the weights
  double gradient_scale, beta1, beta2, epsilon, decay, step_size, root_correction2;
};

template <class T>
void update_tensor(Tensor& weight, const Tensor& gradient, Tensor& first, Tensor& second,
                   const StepNumbers& n) {
  T* w = weight.data<T>();
  T* m = first.data<T>();
  T* v = second.data<T>();
  const T* g = gradient.data<T>();
  const T scale = static_cast<T>(n.gradient_scale), decay = static_cast<T>(n.decay);
  const T one_minus_beta1 = static_cast<T>(1 - n.beta1), beta2 = static_cast<T>(n.beta2);
  const T one_minus_beta2 = static_cast<T>(1 - n.beta2), epsilon = static_cast<T>(n.epsilon);
  const T step_size = static_cast<T>(n.step_size), root = static_cast<T>(n.root_correction2);
  for (std::int64_t i = 0; i < weight.elements(); ++i) {
    const T gradient_i = g[i] * scale;
    w[i] *= decay;
    m[i] += one_minus_beta1 * (gradient_i - m[i]);
    v[i] = v[i] * beta2 + one_minus_beta2 * gradient_i * gradient_i;
    const T denominator = std::sqrt(v[i]) / root + epsilon;
    w[i] -= step_size * m[i] / denominator;
  }
}

template <class T>
double sum_of_squares(const Tensor& tensor) {
  const T* x = tensor.data<T>();
  double sum = 0;
  for (std::int64_t i = 0; i < tensor.elements(); ++i)
    sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum;
}

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
    const StepNumbers numbers{gradient_scale, options_.beta1, options_.beta2,  options_.epsilon,
                              decay,          step_size,      root_correction2};
    if (weight.dtype() == DType::f64) {
      update_tensor<double>(weight, gradients[i], first_[i], second_[i], numbers);
    } else {
      update_tensor<float>(weight, gradients[i], first_[i], second_[i], numbers);
    }
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
  std::vector<double> squares(gradients.size());
  parallel_for(std::ssize(squares), [&](std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    squares[i] = gradients[i].dtype() == DType::f64 ? sum_of_squares<double>(gradients[i])
                                                    : sum_of_squares<float>(gradients[i]);
  });
  return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
}

}  // namespace arbg::nn
