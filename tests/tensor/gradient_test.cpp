// Gradients are proved in double: the full Jacobian from one-hot output gradients against central
// differences.
#include <doctest/doctest.h>

#include <cmath>

#include "step_rows.h"

namespace arbg::tensor::test {
namespace {

std::vector<Row> rows_for_gradients() {
  std::vector<Row> rows = {
      linear_row({2, 2, 3}, 4, true),
      linear_row({3, 4}, 2, false),
      matmul_row(3, 4, 2),
      embedding_row(4, 3, {2, 3}),
      rmsnorm_row({2, 5}, 1e-6),
      rmsnorm_row({3, 2}, 0.5),
      attention_row(1, 4, 6, 2),
      attention_row(2, 3, 2, 1),
      cross_attention_row(2, 3, 4, 6, 2),
      cross_attention_row(3, 2, 3, 2, 1),
      layernorm_row({2, 5}, 1e-5),
      layernorm_row({3, 2}, 0.5),
      concat_row({2, 3}, 2),
      tanh_gate_row({2, 3}),
      dropout_row({3, 4}, 0.3),
      swiglu_row({2, 3}),
      add_rows_row(2, 3, 2),
      log_prob_row({2, 2, 5}, 1.0),
      log_prob_row({3, 4}, 3.0),
      mean_row({2, 3}),
      gather_rows_row({3, 2}, 5),
      mask_rows_row({3, 2, 2}),
      transpose_row(2, 3),
      tilt_row(2, 4, 2, 3, 3),
  };
  for (Row& row : elementwise_rows({2, 3})) rows.push_back(std::move(row));
  return with_seeds(std::move(rows));
}

constexpr double kStep = 1e-5, kTolerance = 1e-8;

// d output[o] / d input[e] by central differences, for all o.
std::vector<double> column_by_differences(const Row& row, std::vector<Tensor> x,
                                          const Tensor& index, std::size_t input, std::size_t e) {
  const auto output_at = [&](double step) {
    auto moved = x;
    moved[input] = x[input].clone();
    moved[input].host_data<double>()[e] += step;
    return row.forward(moved, index).values();
  };
  auto column = output_at(kStep);
  const auto behind = output_at(-kStep);
  for (std::size_t o = 0; o < column.size(); ++o) column[o] = (column[o] - behind[o]) / (2 * kStep);
  return column;
}

void check_jacobian(const Row& row) {
  const auto x = random_inputs(row, Backend::reference);
  const Tensor index = random_index(row, Backend::reference);
  const Tensor y = row.forward(x, index);
  const auto outputs = static_cast<std::size_t>(y.elements());

  std::vector<std::vector<std::vector<double>>> jacobian_rows;  // [output][input][element]
  for (std::size_t o = 0; o < outputs; ++o) {
    Tensor dy = Tensor::zeros(y.shape(), y.dtype(), y.backend());
    dy.host_data<double>()[o] = 1.0;
    auto& gradients = jacobian_rows.emplace_back();
    for (const Tensor& gradient : row.backward(dy, x, index))
      gradients.push_back(gradient.values());
    REQUIRE(gradients.size() == x.size());
  }
  for (std::size_t input = 0; input < x.size(); ++input) {
    for (std::size_t e = 0; e < static_cast<std::size_t>(x[input].elements()); ++e) {
      const auto column = column_by_differences(row, x, index, input, e);
      for (std::size_t o = 0; o < outputs; ++o) {
        CAPTURE(input);
        CAPTURE(e);
        CAPTURE(o);
        CHECK(std::abs(jacobian_rows[o][input][e] - column[o]) <=
              kTolerance * (1 + std::abs(column[o])));
      }
    }
  }
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("the full Jacobian of every operation is that of central differences") {
    for (const Row& row : rows_for_gradients()) {
      SUBCASE(row.name.c_str()) {
        CAPTURE(row.name);
        check_jacobian(row);
      }
    }
  }
}

}  // namespace arbg::tensor::test
