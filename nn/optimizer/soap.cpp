#include "nn/optimizer/soap.h"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "nn/optimizer/matrices.h"
#include "tensor/base/error.h"
#include "tensor/device/for_each_on.h"
#include "tensor/ops/adamw_step.h"
#include "tensor/ops/blend.h"
#include "tensor/ops/linear.h"
#include "tensor/ops/matmul.h"
#include "tensor/ops/nesterov_step.h"
#include "tensor/ops/numbers.h"
#include "tensor/ops/transpose.h"

namespace arbg::nn {
namespace {

constexpr double kLeast = 1e-4;  // of the mean eigenvalue

using Dense = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Dense dense(const Tensor& matrix) {
  const std::vector<double> values = matrix.values();
  return Eigen::Map<const Dense>(values.data(), matrix.extent(0), matrix.extent(1));
}

void write(Tensor& matrix, const Dense& values) {
  const std::span numbers(values.data(), static_cast<std::size_t>(values.size()));
  matrix.copy_from(Tensor::from_values(numbers, matrix.shape(), matrix.backend()));
}

Tensor identity(std::int64_t n, const Tensor& like) {
  Tensor out = Tensor::zeros({n, n}, like.dtype(), like.backend());
  write(out, Dense::Identity(n, n));
  return out;
}

// The next basis of a side.
Dense followed(const Dense& squares, const Dense& basis) {
  const double least = kLeast * squares.trace() / static_cast<double>(squares.rows());
  const Dense image = squares * basis + least * basis;
  const Eigen::VectorXd eigenvalues = (basis.array() * image.array()).colwise().sum();
  std::vector<Eigen::Index> order(static_cast<std::size_t>(basis.cols()));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](auto i, auto j) { return eigenvalues[i] > eigenvalues[j]; });
  const Eigen::HouseholderQR<Dense> factors(image(Eigen::all, order));
  return factors.householderQ() * Dense::Identity(basis.rows(), basis.cols());
}

// The basis of a side goes on; what turns coordinates of the old one into those of the new.
Dense turn(const Tensor& squares, Tensor& basis, std::int64_t length) {
  if (!basis.defined()) return Dense::Identity(length, length);
  const Dense before = dense(basis), after = followed(dense(squares), before);
  write(basis, after);
  return before.transpose() * after;
}

// P^T G Q and P d Q^T; an undefined basis is the identity.
Tensor into_bases(const Tensor& G, const Tensor& P, const Tensor& Q) {
  const Tensor turned = P.defined() ? tensor::matmul(tensor::transpose(P), G) : G;
  return Q.defined() ? tensor::matmul(turned, Q) : turned;
}

Tensor out_of_bases(const Tensor& d, const Tensor& P, const Tensor& Q) {
  const Tensor turned = P.defined() ? tensor::matmul(P, d) : d;
  return Q.defined() ? tensor::linear(turned, Q, {}) : turned;
}

}  // namespace

Soap::Soap(const std::vector<Parameter>& parameters, SoapOptions options)
    : options_(options), others_(without_matrices(parameters), options.others) {
  const auto side = [&](std::int64_t n, const Tensor& like) {
    if (n > options_.longest_side) return Side{};
    return Side{Tensor::zeros({n, n}, like.dtype(), like.backend()), identity(n, like)};
  };
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!is_matrix(parameters[i])) {
      other_index_.push_back(i);
      continue;
    }
    const Tensor& value = parameters[i].variable.value();
    const auto zeros = [&] { return Tensor::zeros(value.shape(), value.dtype(), value.backend()); };
    matrices_.push_back({parameters[i], i, zeros(), zeros(), side(value.extent(0), value),
                         side(value.extent(1), value)});
  }
}

void Soap::follow(Matrix& matrix) {
  const Dense second = dense(matrix.second);
  if (second.isZero(0)) return;  // no step with a finite gradient yet
  const Dense A = turn(matrix.rows.squares, matrix.rows.basis, second.rows()),
              B = turn(matrix.columns.squares, matrix.columns.basis, second.cols());
  write(matrix.first, A.transpose() * dense(matrix.first) * B);
  write(matrix.second, A.cwiseAbs2().transpose() * second * B.cwiseAbs2());
}

void Soap::set_step(double learning_rate, std::int64_t step) {
  others_.set_step(learning_rate, step);
  if (matrices_.empty()) return;
  const auto& [beta1, beta2, epsilon, weight_decay] = options_.matrices;
  const double k = static_cast<double>(step);
  const Backend backend = matrices_[0].first.backend();
  // A decay of 0: what Adam steps from is not the weight.
  const tensor::AdamWStep adam{beta1,
                               beta2,
                               epsilon,
                               0,
                               learning_rate / (1 - std::pow(beta1, k)),
                               std::sqrt(1 - std::pow(beta2, k))};
  tensor::set_numbers(adam_, adam.numbers(), backend);
  tensor::set_numbers(decay_, std::array{1 - learning_rate * weight_decay, 1.0}, backend);
  tensor::set_numbers(share_, std::array{1 - beta2}, backend);
  if (step >= 2 && (step - 2) % options_.interval == 0) {
    tensor::for_each_on(tensor::Device{backend}, std::ssize(matrices_),
                        [&](std::int64_t i) { follow(matrices_[static_cast<std::size_t>(i)]); });
  }
}

void Soap::update(std::span<const Tensor> gradients, const Tensor& scale) {
  require(gradients.size() == matrices_.size() + other_index_.size(), "SOAP has ",
          matrices_.size() + other_index_.size(), " parameters, found ", gradients.size(),
          " gradients");
  tensor::for_each_on(scale.device(), std::ssize(matrices_), [&](std::int64_t index) {
    Matrix& matrix = matrices_[static_cast<std::size_t>(index)];
    Tensor weight = matrix.parameter.variable.value();
    const Tensor& G = gradients[matrix.index];
    require_fits(G, matrix.parameter);
    const Tensor &P = matrix.rows.basis, &Q = matrix.columns.basis;
    Tensor direction = Tensor::zeros(weight.shape(), weight.dtype(), weight.backend());
    tensor::adamw_step(direction, into_bases(G, P, Q), matrix.first, matrix.second, scale, adam_);
    tensor::descend(weight, out_of_bases(direction, P, Q), scale, decay_, -1);
    if (P.defined()) tensor::blend(matrix.rows.squares, tensor::linear(G, G, {}), scale, share_);
    if (!Q.defined()) return;
    const Tensor turned = tensor::transpose(G);
    tensor::blend(matrix.columns.squares, tensor::linear(turned, turned, {}), scale, share_);
  });
  std::vector<Tensor> rest;
  for (const auto i : other_index_) rest.push_back(gradients[i]);
  others_.update(rest, scale);
}

template <class Visit>
void Soap::for_each_side(const Matrix& matrix, const Visit& visit) {
  const auto of_side = [&](const Side& side, const std::string& name) {
    if (!side.basis.defined()) return;
    visit(matrix.parameter.name + name + "_squares", side.squares);
    visit(matrix.parameter.name + name + "_basis", side.basis);
  };
  of_side(matrix.rows, ".row");
  of_side(matrix.columns, ".column");
}

NamedTensors Soap::first_moments() const {
  NamedTensors list = others_.first_moments();
  for (const Matrix& matrix : matrices_) list.emplace_back(matrix.parameter.name, matrix.first);
  return list;
}

NamedTensors Soap::second_moments() const {
  NamedTensors list = others_.second_moments();
  for (const Matrix& matrix : matrices_) {
    list.emplace_back(matrix.parameter.name, matrix.second);
    for_each_side(matrix, [&](const std::string& name, const Tensor& tensor) {
      list.emplace_back(name, tensor);
    });
  }
  return list;
}

void Soap::load(const NamedTensors& first, const NamedTensors& second) {
  others_.load(first, second);
  for (Matrix& matrix : matrices_) {
    load_moment(matrix.first, first, matrix.parameter.name);
    load_moment(matrix.second, second, matrix.parameter.name);
    for_each_side(
        matrix, [&](const std::string& name, Tensor tensor) { load_moment(tensor, second, name); });
  }
}

}  // namespace arbg::nn
