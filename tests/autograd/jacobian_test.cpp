// Every function of the catalogue against numerical derivatives: the full Jacobian, in double.
//
// Row i of the Jacobian is the gradient for the cotangent that is one at output i and zero
// elsewhere. A loss such as the sum of all outputs would not do: softmax passes it whatever its
// backward says.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "autograd/functions.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"

namespace arbg::autograd {
namespace {

using tensor::Backend;
using tensor::Shape;

constexpr auto kReference = Backend::reference;

Tensor random_tensor(const Shape& shape, std::string_view purpose, std::uint64_t k) {
  const Random random(7, stream_id(purpose, k));
  std::vector<double> values;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(shape.elements()); ++i) {
    values.push_back(random.normal_pair(i)[0]);
  }
  return Tensor::from_values(values, shape, kReference);
}

Tensor indices(std::vector<std::int32_t> values, const Shape& shape) {
  return Tensor::from_indices(values, shape, kReference);
}

struct Case {
  std::string name;
  std::vector<Shape> inputs;
  std::function<Variable(const std::vector<Variable>&)> f;
};

const std::vector<Case>& cases() {
  using Inputs = const std::vector<Variable>&;
  static const std::vector<Case> all = {
      {"linear", {{2, 3, 4}, {5, 4}, {5}}, [](Inputs x) { return linear(x[0], x[1], x[2]); }},
      {"linear without bias", {{3, 4}, {2, 4}}, [](Inputs x) { return linear(x[0], x[1]); }},
      {"matmul", {{3, 4}, {4, 2}}, [](Inputs x) { return matmul(x[0], x[1]); }},
      {"embedding, a row used twice",
       {{4, 3}},
       [](Inputs x) {
         return embedding(x[0], indices({2, 0, 2, 1}, {2, 2}));
       }},
      {"rmsnorm", {{2, 3, 5}, {5}}, [](Inputs x) { return rmsnorm(x[0], x[1], 1e-6); }},
      {"causal_attention, two heads",
       {{2, 4, 12}},
       [](Inputs x) { return causal_attention(x[0], 2); }},
      {"causal_attention, one position",
       {{3, 1, 6}},
       [](Inputs x) { return causal_attention(x[0], 1); }},
      {"cross_attention, an entry that is padding",
       {{2, 3, 4}, {2, 3, 4}, {2, 3, 4}},
       [](Inputs x) {
         return cross_attention(x[0], x[1], x[2], indices({3, 2}, {2}), 2);
       }},
      {"layernorm",
       {{2, 3, 5}, {5}, {5}},
       [](Inputs x) { return layernorm(x[0], x[1], x[2], 1e-5); }},
      {"tanh_gate", {{2, 3}, {1}}, [](Inputs x) { return tanh_gate(x[0], x[1]); }},
      {"dropout",
       {{4, 3}},
       [](Inputs x) {
         return dropout(x[0], 0.4, {1, 2, tensor::make_place(3, Backend::reference)}, 3);
       }},
      {"concat", {{2, 3}, {2, 2}}, [](Inputs x) { return concat(x[0], x[1]); }},
      {"rows, some of them twice",
       {{5, 3}},
       [](Inputs x) { return add(rows(x[0], 1, 3), rows(x[0], 2, 3)); }},
      {"mask_rows, all, some and none",
       {{3, 4}},
       [](Inputs x) {
         return mask_rows(x[0], indices({4, 1, 0}, {3}), 2.5);
       }},
      {"reshape",
       {{2, 6}},
       [](Inputs x) {
         return reshape(x[0], {3, 4});
       }},
      {"swiglu", {{2, 5}, {2, 5}}, [](Inputs x) { return swiglu(x[0], x[1]); }},
      {"gelu", {{2, 5}}, [](Inputs x) { return gelu(x[0]); }},
      {"log_prob",
       {{2, 3, 5}},
       [](Inputs x) {
         return log_prob(x[0], indices({0, 4, 2, 1, 1, 3}, {2, 3}));
       }},
      {"add", {{2, 3}, {2, 3}}, [](Inputs x) { return add(x[0], x[1]); }},
      {"add_rows", {{2, 3, 4}, {3, 4}}, [](Inputs x) { return add_rows(x[0], x[1]); }},
      {"tilt, a curve used twice and a position without",
       {{2, 4, 5}, {2, 4, 3}},
       [](Inputs x) {
         return tilt(x[0], x[1], random_tensor({2, 2, 3, 5}, "curves", 0),
                     indices({1, -1, 0, 1}, {4}));
       }},
      {"multiply", {{2, 3}, {2, 3}}, [](Inputs x) { return multiply(x[0], x[1]); }},
      {"scale", {{2, 3}}, [](Inputs x) { return scale(x[0], -1.7); }},
      {"square", {{2, 3}}, [](Inputs x) { return square(x[0]); }},
      {"sum_last", {{2, 3, 4}}, [](Inputs x) { return sum_last(x[0]); }},
      {"sum_all", {{2, 3}}, [](Inputs x) { return sum_all(x[0]); }},
      {"mean_all", {{2, 3}}, [](Inputs x) { return mean_all(x[0]); }},
      // Sums of contributions: one variable used by several functions, stored and added in every
      // way there is.
      {"a sum with itself", {{2, 3}}, [](Inputs x) { return add(x[0], x[0]); }},
      {"a residual branch",
       {{2, 3}, {3}},
       [](Inputs x) { return add(x[0], rmsnorm(x[0], x[1], 1e-6)); }},
      {"a weight used as a weight and as a sum",
       {{3, 3}, {3, 3}},
       [](Inputs x) { return linear(add(x[1], scale(x[0], 2)), add(x[0], x[1])); }},
      {"a table made of two", {{4, 3}, {4, 2}, {2, 3}}, [](Inputs x) {
         return embedding(add(x[0], matmul(x[1], x[2])), indices({3, 1, 3}, {3}));
       }}};
  return all;
}

std::vector<Variable> parameters(const std::vector<Tensor>& values) {
  std::vector<Variable> variables;
  for (const auto& value : values) variables.push_back(Variable::parameter(value));
  return variables;
}

// d y / d x[which][j] by central differences with two steps, extrapolated: error of order h^4.
std::vector<double> numerical_column(const Case& c, const std::vector<Tensor>& inputs,
                                     std::size_t which, std::size_t j) {
  const auto value_at = [&](double shift) {
    auto moved = inputs;
    moved[which] = inputs[which].clone();
    moved[which].host_data<double>()[j] += shift;
    return c.f(parameters(moved)).value().values();
  };
  constexpr double h = 1e-3;
  const auto far_up = value_at(2 * h), up = value_at(h), down = value_at(-h),
             far_down = value_at(-2 * h);
  std::vector<double> column(up.size());
  for (std::size_t i = 0; i < column.size(); ++i) {
    column[i] = (8 * (up[i] - down[i]) - (far_up[i] - far_down[i])) / (12 * h);
  }
  return column;
}

TEST_SUITE("fast") {
  TEST_CASE("the full Jacobian of every function matches numerical derivatives") {
    for (const auto& c : cases()) {
      CAPTURE(c.name);
      std::vector<Tensor> inputs;
      for (const auto& shape : c.inputs)
        inputs.push_back(random_tensor(shape, c.name, inputs.size()));
      const Shape output = c.f(parameters(inputs)).value().shape();

      std::vector<std::vector<std::vector<double>>> rows;  // [output][input][number]
      for (std::int64_t i = 0; i < output.elements(); ++i) {
        const auto x = parameters(inputs);
        Tensor one_hot = Tensor::zeros(output, tensor::DType::f64, kReference);
        one_hot.host_data<double>()[i] = 1;
        backward(c.f(x), one_hot);
        auto& row = rows.emplace_back();
        for (const auto& input : x) {
          row.push_back(input.grad().defined() ? input.grad().values()
                                               : std::vector<double>(static_cast<std::size_t>(
                                                     input.value().elements())));
        }
      }
      for (std::size_t which = 0; which < inputs.size(); ++which) {
        for (std::size_t j = 0; j < static_cast<std::size_t>(inputs[which].elements()); ++j) {
          const auto column = numerical_column(c, inputs, which, j);
          for (std::size_t i = 0; i < column.size(); ++i) {
            const double found = rows[i][which][j];
            CAPTURE(which);
            CAPTURE(j);
            CAPTURE(i);
            CHECK(found == doctest::Approx(column[i]).epsilon(1e-9).scale(1));
          }
        }
      }
    }
  }

  TEST_CASE("a leaf keeps its gradient and a second walk adds to it") {
    const auto x =
        Variable::parameter(Tensor::from_values(std::vector{2.0, -3.0}, {2}, kReference));
    backward(sum_all(square(x)));
    backward(sum_all(square(x)));
    CHECK(x.grad().values() == std::vector{8.0, -12.0});
    x.clear_grad();
    CHECK_FALSE(x.grad().defined());
  }

  TEST_CASE("contributions to a gradient that is kept in a tensor are added there") {
    for (const bool in_place : {false, true}) {
      const auto x =
          Variable::parameter(Tensor::from_values(std::vector{2.0, -3.0}, {1, 2}, kReference));
      const Tensor place = Tensor::zeros({1, 2}, x.value().dtype(), kReference);
      x.keep_grad_in(place);
      const Variable one(Tensor::from_values(std::vector{1.0, 1.0}, {1, 2}, kReference));
      for (const double expected : {1.0, 2.0}) {
        backward(sum_all(in_place ? linear(one, x) : multiply(one, x)));
        CHECK(place.values() == std::vector{expected, expected});
        CHECK(x.grad().shares_storage_with(place));
      }
      x.clear_grad();
      CHECK(place.values() == std::vector{0.0, 0.0});
    }
  }

  TEST_CASE("gradients of constants are neither wanted nor made") {
    const auto x = Variable::parameter(random_tensor({3, 4}, "x", 0));
    const Variable table(random_tensor({4, 4}, "t", 0));
    backward(sum_all(square(linear(x, table))));
    CHECK(x.grad().defined());
    CHECK_FALSE(table.grad().defined());
  }

  TEST_CASE("under NoGradient the values are the same and no graph is recorded") {
    const auto x = Variable::parameter(random_tensor({2, 3}, "x", 0));
    const auto recorded = square(x);
    const NoGradient off;
    const auto plain = square(x);
    CHECK(recorded.wants_grad());
    CHECK_FALSE(plain.wants_grad());
    CHECK(plain.value().values() == recorded.value().values());
    CHECK_THROWS_AS(backward(sum_all(plain)), Error);
  }

  TEST_CASE("backward refuses a vector without a given gradient and a gradient of another shape") {
    const auto x = Variable::parameter(random_tensor({2, 3}, "x", 0));
    CHECK_THROWS_AS(backward(square(x)), Error);
    CHECK_THROWS_AS(backward(square(x), random_tensor({3, 2}, "d", 0)), Error);
  }
}

}  // namespace
}  // namespace arbg::autograd
