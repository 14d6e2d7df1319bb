#include "nn/optimizer/muon.h"

#include <algorithm>
#include <cmath>

#include "tensor/base/error.h"
#include "tensor/base/threads.h"
#include "tensor/ops/add.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/linear.h"
#include "tensor/ops/matmul.h"

namespace arbg::nn {
namespace {

constexpr int kIterations = 5;
constexpr double kLinear = 3.4445, kCubic = -4.7750, kQuintic = 2.0315;
constexpr double kSmallestNorm = 1e-7;

bool is_matrix(const Parameter& parameter) {
  return parameter.variable.value().shape().rank() == 2 && parameter.decays;
}

std::vector<Parameter> without_matrices(std::vector<Parameter> parameters) {
  std::erase_if(parameters, is_matrix);
  return parameters;
}

Tensor transposed(const Tensor& x) {
  const std::int64_t R = x.extent(0), C = x.extent(1);
  const auto values = x.values();
  std::vector<double> out(values.size());
  for (std::int64_t r = 0; r < R; ++r) {
    for (std::int64_t c = 0; c < C; ++c)
      out[static_cast<std::size_t>(c * R + r)] = values[static_cast<std::size_t>(r * C + c)];
  }
  return Tensor::from_values(out, {C, R}, x.backend());
}

// m += (g scale - m)(1 - momentum); returns (1 - momentum) g scale + momentum m.
template <class T>
Tensor nesterov(Tensor& momentum, const Tensor& gradient, double scale, double beta) {
  Tensor update = Tensor::empty(gradient.shape(), gradient.dtype(), gradient.backend());
  T *m = momentum.data<T>(), *u = update.data<T>();
  const T* g = gradient.data<T>();
  const T s = static_cast<T>(scale), b = static_cast<T>(beta), rest = static_cast<T>(1 - beta);
  for (std::int64_t i = 0; i < gradient.elements(); ++i) {
    m[i] += (g[i] * s - m[i]) * rest;
    u[i] = rest * (g[i] * s) + b * m[i];
  }
  return update;
}

template <class T>
void take_step(Tensor& weight, const Tensor& direction, double decay, double step) {
  T* w = weight.data<T>();
  const T* x = direction.data<T>();
  const T d = static_cast<T>(decay), s = static_cast<T>(step);
  for (std::int64_t i = 0; i < weight.elements(); ++i) w[i] = w[i] * d - s * x[i];
}

}  // namespace

Tensor orthogonalised(const Tensor& x) {
  using tensor::add, tensor::scale, tensor::linear, tensor::matmul;
  require(x.shape().rank() == 2, "only a matrix can be made orthogonal, not ", x.shape());
  const bool tall = x.extent(0) > x.extent(1);
  const double norm = gradient_norm(std::span(&x, 1));
  Tensor X = scale(tall ? transposed(x) : x, 1 / (norm + kSmallestNorm));
  for (int i = 0; i < kIterations; ++i) {
    const Tensor A = linear(X, X, {});  // X X^T
    const Tensor B = add(scale(A, kCubic), scale(matmul(A, A), kQuintic));
    X = add(scale(X, kLinear), matmul(B, X));
  }
  return tall ? transposed(X) : X;
}

Muon::Muon(const std::vector<Parameter>& parameters, MuonOptions options)
    : options_(options), others_(without_matrices(parameters), options.adamw) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!is_matrix(parameters[i])) {
      other_index_.push_back(i);
      continue;
    }
    const Tensor& value = parameters[i].variable.value();
    matrix_index_.push_back(i);
    matrices_.push_back(parameters[i]);
    momentum_.push_back(Tensor::zeros(value.shape(), value.dtype(), value.backend()));
  }
}

void Muon::update(std::span<const Tensor> gradients, double gradient_scale, double learning_rate,
                  std::int64_t step) {
  require(gradients.size() == matrix_index_.size() + other_index_.size(), "Muon has ",
          matrix_index_.size() + other_index_.size(), " parameters, found ", gradients.size(),
          " gradients");
  parallel_for(static_cast<std::int64_t>(matrices_.size()), [&](std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    Tensor weight = matrices_[i].variable.value();
    const Tensor& gradient = gradients[matrix_index_[i]];
    require(gradient.shape() == weight.shape(), "the gradient of \"", matrices_[i].name,
            "\" has shape ", gradient.shape(), ", expected ", weight.shape());
    const bool is_double = weight.dtype() == DType::f64;
    const auto direction = is_double ? nesterov<double> : nesterov<float>;
    const auto take = is_double ? take_step<double> : take_step<float>;
    const Tensor X =
        orthogonalised(direction(momentum_[i], gradient, gradient_scale, options_.momentum));
    const double rows = static_cast<double>(weight.extent(0)),
                 columns = static_cast<double>(weight.extent(1));
    take(weight, X, 1 - learning_rate * options_.weight_decay,
         learning_rate * std::sqrt(std::max(1.0, rows / columns)));
  });
  std::vector<Tensor> rest;
  for (const auto i : other_index_) rest.push_back(gradients[i]);
  others_.update(rest, gradient_scale, learning_rate * options_.adamw_ratio, step);
}

NamedTensors Muon::first_moments() const {
  NamedTensors list = others_.first_moments();
  for (std::size_t i = 0; i < matrices_.size(); ++i)
    list.emplace_back(matrices_[i].name, momentum_[i]);
  return list;
}

NamedTensors Muon::second_moments() const { return others_.second_moments(); }

void Muon::load(const NamedTensors& first, const NamedTensors& second) {
  others_.load(first, second);
  for (std::size_t i = 0; i < matrices_.size(); ++i)
    load_moment(momentum_[i], first, matrices_[i].name);
}

}  // namespace arbg::nn
