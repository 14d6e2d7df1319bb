// Every row of the table, forward and backward, on every backend, against the reference.
#include <doctest/doctest.h>

#include <cmath>

#include "step_rows.h"
#include "tests/backends.h"

namespace arbg::tensor::test {
namespace {

std::vector<Row> tilt_rows() {
  return {tilt_row(2, 60, 19, 3, 256), tilt_row(5, 1, 1, 3, 64),   tilt_row(3, 7, 2, 5, 37),
          tilt_row(2, 3, 4, 1, 1),     tilt_row(1, 3, 2, 2, 1000), tilt_row(2, 3, 2, 2, 2100),
          tilt_row(0, 3, 2, 3, 4),     tilt_row(2, 0, 2, 3, 4),    tilt_row(2, 3, 0, 3, 4),
          tilt_row(2, 3, 2, 0, 4),     tilt_row(2, 3, 2, 3, 0)};
}

std::vector<Row> rows_for_backends() {
  std::vector<Row> rows = {
      linear_row({3, 5, 64}, 192, false),
      linear_row({2, 60, 64}, 170, false),
      linear_row({120, 170}, 64, true),
      linear_row({7, 1}, 1, true),
      linear_row({1, 300}, 257, true),
      linear_row({13, 17}, 600, true),
      linear_row({2, 300, 3}, 33, true),
      linear_row({0, 8}, 5, true),
      linear_row({4, 0}, 5, true),
      linear_row({4, 8}, 0, true),
      matmul_row(1, 1, 1),
      matmul_row(6, 64, 64),
      matmul_row(35, 170, 67),
      matmul_row(5, 513, 520),
      matmul_row(97, 33, 1),
      matmul_row(0, 3, 4),
      matmul_row(3, 0, 4),
      matmul_row(200, 130, 129),
      embedding_row(7, 5, {2, 9}),
      embedding_row(256, 64, {4, 60}),
      embedding_row(3, 16, {0}),
      rmsnorm_row({2, 60, 64}, 1e-6),
      rmsnorm_row({9, 1}, 0.5),
      rmsnorm_row({3, 37}, 0.5),
      rmsnorm_row({0, 8}, 1e-6),
      rmsnorm_row({600, 256}, 1e-6),
      attention_row(2, 60, 64, 4),
      attention_row(1, 1, 4, 2),
      attention_row(3, 13, 10, 2),
      attention_row(1, 65, 64, 1),
      attention_row(2, 17, 96, 3),
      attention_row(1, 190, 34, 2),
      attention_row(1, 33, 128, 1),
      attention_row(2, 64, 66, 2),
      attention_row(1, 129, 3, 3),
      attention_row(0, 5, 8, 2),
      attention_row(2, 0, 8, 2),
      cross_attention_row(2, 60, 22, 64, 4),
      cross_attention_row(3, 1, 1, 4, 2),
      cross_attention_row(3, 13, 29, 10, 2),
      cross_attention_row(2, 190, 65, 34, 1),
      cross_attention_row(1, 1, 37, 96, 3),
      cross_attention_row(1, 33, 64, 128, 1),
      cross_attention_row(2, 129, 33, 2, 2),
      cross_attention_row(0, 5, 3, 8, 2),
      cross_attention_row(2, 0, 3, 8, 2),
      layernorm_row({2, 60, 64}, 1e-5),
      layernorm_row({3, 37}, 0.5),
      layernorm_row({9, 1}, 0.5),
      layernorm_row({0, 8}, 1e-5),
      concat_row({2, 5, 7}, 3),
      concat_row({4}, 0),
      concat_row({0, 3}, 2),
      tanh_gate_row({3, 5, 7}),
      tanh_gate_row({0}),
      dropout_row({7, 3, 5}, 0.3),
      dropout_row({0, 4}, 0.5),
      swiglu_row({2, 60, 170}),
      swiglu_row({1}),
      swiglu_row({0, 3}),
      swiglu_row({5, 70001}),
      add_row({3, 5, 7}),
      add_row({0}),
      add_rows_row(4, 6, 5),
      add_rows_row(0, 3, 4),
      log_prob_row({2, 60, 256}, 1.0),
      log_prob_row({5, 1}, 1.0),
      log_prob_row({3, 7, 37}, 30.0),
      log_prob_row({0, 4}, 1.0),
      log_prob_row({3, 4099}, 5.0),
      log_softmax_row({2, 3, 100}),
      log_softmax_row({0, 4}),
      log_softmax_row({30, 4096}),
      mean_row({3, 1001}),
      shift_right_row({3, 7}),
      shift_right_row({2, 1}),
      shift_right_row({2, 0}),
      shift_right_row({0, 4}),
      gather_rows_row({5, 3, 7}, 11),
      gather_rows_row({9}, 4),
      gather_rows_row({3, 0}, 2),
      gather_rows_row({3, 4}, 0),
      gather_rows_row({40, 33000}, 40),
      mask_rows_row({3, 5, 7}),
      mask_rows_row({4, 9}),
      mask_rows_row({2, 0, 3}),
      mask_rows_row({0, 4}),
      transpose_row(13, 37),
      transpose_row(1, 5),
      transpose_row(0, 3),
      transpose_row(3, 0),
      transpose_row(200, 65),
      sum_of_squares_row({{3, 7}, {0}, {1001}}),
      sum_of_squares_row({{0, 2}}),
      clip_scale_row(0.7),
      clip_scale_row(1e3),
      clip_scale_row(INFINITY),
      sinusoid_row({3, 7}, 6),
      sinusoid_row({5}, 9),
      sinusoid_row({0, 2}, 4),
      draw_row(7, 37, {}),
      draw_row(200, 256, {0.7, 0, 1, 0}),
      draw_row(5, 64, {1.3, 10, 1, 0}),
      draw_row(5, 65, {1, 0, 0.8, 0.05}),
      draw_row(3, 1, {1, 1, 0.5, 0}),
      draw_row(3, 1500, {1, 40, 1, 0}),
      draw_row(2, 9001, {1.1, 0, 0.9, 0.02}),
      draw_row(0, 4, {}),
      bin_slope_row(7, 3, 5, 1),
      bin_slope_row(40, 2, 256, 0.7),
      bin_slope_row(300, 1, 2, 1.3),
      bin_slope_row(3, 2, 1, 1),
      bin_slope_row(0, 2, 4, 1),
  };
  for (const Shape& shape : {Shape{3, 5, 7}, Shape{1}, Shape{0, 4}, Shape{2, 33000}}) {
    for (Row& row : elementwise_rows(shape)) rows.push_back(std::move(row));
    for (Row& row : std::vector{adamw_step_row(shape), nesterov_step_row(shape), descend_row(shape),
                                blend_row(shape), unit_norm_row(shape)})
      rows.push_back(std::move(row));
  }
  // Rows and sums of sizes at which kernels for devices change their way.
  for (Row& row : std::vector{embedding_row(9, 300, {2, 600}), embedding_row(5, 1030, {3}),
                              rmsnorm_row({3, 1001}, 1e-6), rmsnorm_row({2, 2100}, 1e-6),
                              layernorm_row({600, 12}, 1e-5), layernorm_row({3, 1001}, 1e-5),
                              layernorm_row({2, 2100}, 1e-5), concat_row({3, 8}, 12),
                              concat_row({3, 6}, 12), concat_row({3, 8}, 6), tanh_gate_row({9001}),
                              add_rows_row(300, 3, 12), gather_rows_row({7, 2, 4}, 9),
                              mask_rows_row({3, 5, 8}), log_prob_row({3, 1001}, 1.0)})
    rows.push_back(std::move(row));
  for (Row& row : tilt_rows()) rows.push_back(std::move(row));
  return with_seeds(std::move(rows));
}

// The largest difference over the largest number of `truth`, or itself where the truth is nothing
// but rounding (the gradient of a softmax over one entry); NaN anywhere gives NaN.
double relative_difference(const Tensor& found, const Tensor& truth) {
  REQUIRE(found.shape() == truth.shape());
  const auto a = found.values(), b = truth.values();
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) || std::isnan(b[i])) return NAN;
    difference = std::max(difference, std::abs(a[i] - b[i]));
    largest = std::max(largest, std::abs(b[i]));
  }
  constexpr double kRounding = 1e-14;  // of numbers of order one, in double
  return largest > kRounding ? difference / largest : difference;
}

std::vector<Tensor> run(const Row& row, Backend backend) {
  const auto x = random_inputs(row, backend);
  const Tensor index = random_index(row, backend);
  std::vector<Tensor> results{row.forward(x, index)};
  if (row.backward) {
    const Shape& shape = results[0].shape();
    const Tensor dy =
        Tensor::from_values(random_values(shape.elements(), row.seed, 99), shape, backend);
    for (const Tensor& gradient : row.backward(dy, x, index)) results.push_back(gradient);
  }
  return results;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("every operation agrees with the reference, forward and backward") {
    for (const Row& row : rows_for_backends()) {
      SUBCASE(row.name.c_str()) {
        CAPTURE(row.name);
        const auto truth = run(row, Backend::reference);
        for (const Backend backend : backends_here()) {
          if (backend == Backend::reference) continue;
          CAPTURE(std::string(name_of(backend)));
          const auto found = run(row, backend);
          REQUIRE(found.size() == truth.size());
          for (std::size_t i = 0; i < truth.size(); ++i) {
            CAPTURE(i);  // 0: the output, then the gradients of the inputs in order
            CHECK(relative_difference(found[i], truth[i]) <= row.tolerance);
          }
        }
      }
    }
  }
}

}  // namespace arbg::tensor::test
