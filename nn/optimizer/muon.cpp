#include "nn/optimizer/muon.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "nn/optimizer/matrices.h"
#include "tensor/base/error.h"
#include "tensor/device/for_each_on.h"
#include "tensor/ops/add.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/linear.h"
#include "tensor/ops/matmul.h"
#include "tensor/ops/nesterov_step.h"
#include "tensor/ops/numbers.h"
#include "tensor/ops/transpose.h"
#include "tensor/ops/unit_norm.h"

namespace arbg::nn {
namespace {

constexpr int kIterations = 5;
constexpr double kLinear = 3.4445, kCubic = -4.7750, kQuintic = 2.0315;
constexpr double kSmallestNorm = 1e-7;

}  // namespace

Tensor orthogonalised(const Tensor& x) {
  using tensor::add, tensor::scale, tensor::linear, tensor::matmul, tensor::transpose;
  require(x.shape().rank() == 2, "only a matrix can be made orthogonal, not ", x.shape());
  const bool tall = x.extent(0) > x.extent(1);
  Tensor X = tensor::unit_norm(x, kSmallestNorm);
  if (tall) X = transpose(X);
  for (int i = 0; i < kIterations; ++i) {
    const Tensor A = linear(X, X, {});  // X X^T
    const Tensor B = add(scale(A, kCubic), scale(matmul(A, A), kQuintic));
    X = add(scale(X, kLinear), matmul(B, X));
  }
  return tall ? transpose(X) : X;
}

Muon::Muon(const std::vector<Parameter>& parameters, MuonOptions options)
    : options_(options), others_(parameters, options.adamw) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!is_matrix(parameters[i])) continue;
    const Tensor& value = parameters[i].variable.value();
    matrix_index_.push_back(i);
    matrices_.push_back(parameters[i]);
    momentum_.push_back(Tensor::zeros(value.shape(), value.dtype(), value.backend()));
  }
}

void Muon::set_step(double learning_rate, std::int64_t step) {
  if (!momentum_.empty()) {
    tensor::set_numbers(numbers_,
                        std::array{1 - learning_rate * options_.weight_decay, learning_rate},
                        momentum_[0].backend());
  }
  others_.set_step(learning_rate * options_.adamw_ratio, step);
}

void Muon::update(std::span<const Tensor> gradients, const Tensor& scale) {
  others_.update(gradients, scale);
  tensor::for_each_on(scale.device(), std::ssize(matrices_), [&](std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    Tensor weight = matrices_[i].variable.value();
    const Tensor& gradient = gradients[matrix_index_[i]];
    require_fits(gradient, matrices_[i]);
    const Tensor X =
        orthogonalised(tensor::nesterov_step(momentum_[i], gradient, scale, options_.momentum));
    const double rows = static_cast<double>(weight.extent(0)),
                 columns = static_cast<double>(weight.extent(1));
    tensor::descend(weight, X, scale, numbers_, std::sqrt(std::max(1.0, rows / columns)));
  });
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
