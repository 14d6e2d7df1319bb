#include "nn/optimizer/soap.h"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "nn/optimizer/matrices.h"
#include "tensor/base/threads.h"
#include "tensor/device/for_each_on.h"
#include "tensor/gemm/precision.h"
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

// The numbers of a matrix, on the host.
struct SideNumbers {
  Dense squares, basis;  // empty: a side without
};

struct MatrixNumbers {
  Dense first, second;
  SideNumbers rows, columns;
};

// The basis of a side goes on; what turns coordinates of the old one into those of the new.
Dense turn(SideNumbers& side, Eigen::Index length) {
  if (side.basis.size() == 0) return Dense::Identity(length, length);
  const Dense before = side.basis;
  side.basis = followed(side.squares, before);
  return before.transpose() * side.basis;
}

void follow(MatrixNumbers& matrix) {
  if (matrix.second.isZero(0)) return;  // no step with a finite gradient yet
  const Dense A = turn(matrix.rows, matrix.first.rows()),
              B = turn(matrix.columns, matrix.first.cols());
  matrix.first = A.transpose() * matrix.first * B;
  matrix.second = A.cwiseAbs2().transpose() * matrix.second * B.cwiseAbs2();
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
    : options_(options), others_(parameters, options.others) {
  const auto side = [&](std::int64_t n, const Tensor& like) {
    if (n > options_.longest_side) return Side{};
    return Side{Tensor::zeros({n, n}, like.dtype(), like.backend()), identity(n, like)};
  };
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!is_matrix(parameters[i])) continue;
    const Tensor& value = parameters[i].variable.value();
    const auto zeros = [&] { return Tensor::zeros(value.shape(), value.dtype(), value.backend()); };
    matrices_.push_back({parameters[i], i, zeros(), zeros(), side(value.extent(0), value),
                         side(value.extent(1), value)});
  }
}

// A device is asked by one thread; the work on the host is for all.
void Soap::follow_all() {
  const auto fetched = [](const Side& side) {
    if (!side.basis.defined()) return SideNumbers{};
    return SideNumbers{dense(side.squares), dense(side.basis)};
  };
  std::vector<MatrixNumbers> numbers;
  for (const Matrix& matrix : matrices_) {
    numbers.push_back(
        {dense(matrix.first), dense(matrix.second), fetched(matrix.rows), fetched(matrix.columns)});
  }
  parallel_for(std::ssize(numbers),
               [&](std::int64_t i) { follow(numbers[static_cast<std::size_t>(i)]); });
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    Matrix& matrix = matrices_[i];
    write(matrix.first, numbers[i].first);
    write(matrix.second, numbers[i].second);
    if (matrix.rows.basis.defined()) write(matrix.rows.basis, numbers[i].rows.basis);
    if (matrix.columns.basis.defined()) write(matrix.columns.basis, numbers[i].columns.basis);
  }
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
  if (step >= 2 && (step - 2) % options_.interval == 0) follow_all();
}

void Soap::update(std::span<const Tensor> gradients, const Tensor& scale) {
  others_.update(gradients, scale);
  // In bf16 small eigenvalues would be those of the rounding.
  const tensor::WithPrecision in_full(tensor::ProductPrecision::float32);
  tensor::for_each_on(scale.device(), std::ssize(matrices_), [&](std::int64_t index) {
    Matrix& matrix = matrices_[static_cast<std::size_t>(index)];
    Tensor weight = matrix.parameter.variable.value();
    const Tensor& G = gradients[matrix.index];
    require_fits(G, matrix.parameter);
    const Tensor &P = matrix.rows.basis, &Q = matrix.columns.basis;
    Tensor direction = Tensor::zeros(weight.shape(), weight.dtype(), weight.backend());
    tensor::adamw_step(direction, into_bases(G, P, Q), matrix.first, matrix.second, scale, adam_);
    tensor::descend(weight, out_of_bases(direction, P, Q), scale, decay_, -1);
    Tensor scaled = Tensor::zeros(G.shape(), G.dtype(), G.backend());
    tensor::blend(scaled, G, scale, scale);  // 0 + scale (G - 0)
    if (P.defined())
      tensor::blend(matrix.rows.squares, tensor::linear(scaled, scaled, {}), scale, share_);
    if (!Q.defined()) return;
    const Tensor turned = tensor::transpose(scaled);
    tensor::blend(matrix.columns.squares, tensor::linear(turned, turned, {}), scale, share_);
  });
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
