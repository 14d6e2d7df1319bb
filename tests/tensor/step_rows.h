// More rows of the table: selections and turns of rows, and the steps of optimisers.
#pragma once

#include <algorithm>
#include <cmath>

#include "operation_rows.h"
#include "tensor/ops/adamw_step.h"
#include "tensor/ops/bin_slope.h"
#include "tensor/ops/blend.h"
#include "tensor/ops/clip_scale.h"
#include "tensor/ops/draw.h"
#include "tensor/ops/gather_rows.h"
#include "tensor/ops/mask_rows.h"
#include "tensor/ops/nesterov_step.h"
#include "tensor/ops/numbers.h"
#include "tensor/ops/place.h"
#include "tensor/ops/shift_right.h"
#include "tensor/ops/sinusoid.h"
#include "tensor/ops/sum_of_squares.h"
#include "tensor/ops/transpose.h"
#include "tensor/ops/unit_norm.h"

namespace arbg::tensor::test {

// A copy that an operation changes in place, between rows that it must leave alone.
class Guarded {
 public:
  explicit Guarded(const Tensor& start) : count_(start.elements()) {
    whole_ = Tensor::empty({count_ + 2}, start.dtype(), start.backend());
    whole_.fill(kGuard);
    inside_ = whole_.rows(1, count_);
    inside_.copy_from(start.reshape({count_}));
    inside_ = inside_.reshape(start.shape());
  }
  Tensor& tensor() { return inside_; }

  Tensor changed() const {  // flat
    REQUIRE(whole_.rows(0, 1).item() == kGuard);
    REQUIRE(whole_.rows(count_ + 1, 1).item() == kGuard);
    return whole_.rows(1, count_);
  }

 private:
  static constexpr double kGuard = 0.25;
  std::int64_t count_;
  Tensor whole_, inside_;
};

inline std::vector<double> finite(std::vector<double> values) {
  for (double& value : values) value = std::max(value, -1e3);
  return values;
}

inline Tensor numbers(const std::vector<double>& values, const Tensor& like) {
  return make_numbers(values, like.backend());
}

inline Row shift_right_row(const Shape& tokens) {
  Row row;
  row.index = tokens;
  row.index_below = 9;
  row.name = "shift_right" + sizes({tokens});
  row.forward = [](const auto&, const Tensor& at) { return shift_right(at, 9); };
  return row;
}

inline Row gather_rows_row(const Shape& x, std::int64_t R) {
  Row row;
  row.inputs = {x};
  row.index = {R};
  row.index_below = x[0];
  row.name = "gather_rows" + sizes({x, {R}});
  row.forward = [](const auto& in, const Tensor& from) { return gather_rows(in[0], from); };
  row.backward = [](const Tensor& dy, const auto& in, const Tensor& from) {
    return std::vector{gather_rows_backward(dy, from, in[0].extent(0))};
  };
  return row;
}

inline Row mask_rows_row(const Shape& x) {
  Row row;
  row.inputs = {x};
  row.index = {x[0]};
  row.index_below = x[1] + 1;
  row.name = "mask_rows" + sizes({x});
  row.forward = [](const auto& in, const Tensor& count) { return mask_rows(in[0], count, -2.5); };
  row.backward = [](const Tensor& dy, const auto&, const Tensor& count) {
    return std::vector{mask_rows(dy, count, 0)};
  };
  return row;
}

inline Row transpose_row(std::int64_t R, std::int64_t C) {
  return unary_row("transpose", {R, C}, transpose,
                   [](const Tensor& dy, const Tensor&) { return transpose(dy); });
}

inline Row adamw_step_row(const Shape& shape) {
  Row row;
  row.inputs = {shape, shape, shape, shape};
  row.name = "adamw_step" + sizes({shape});
  row.forward = [](const auto& in, const Tensor&) {
    Guarded weight(in[0]), first(in[2]), second(square(in[3]));
    adamw_step(weight.tensor(), in[1], first.tensor(), second.tensor(), numbers({0.7}, in[0]),
               numbers({0.9, 0.99, 1e-3, 0.97, 0.02, 0.5}, in[0]));
    return concat(concat(weight.changed(), first.changed()), second.changed());
  };
  return row;
}

inline Row nesterov_step_row(const Shape& shape) {
  Row row;
  row.inputs = {shape, shape};
  row.name = "nesterov_step" + sizes({shape});
  row.forward = [](const auto& in, const Tensor&) {
    Guarded momentum(in[0]);
    const Tensor direction = nesterov_step(momentum.tensor(), in[1], numbers({0.7}, in[0]), 0.95);
    return concat(momentum.changed(), direction.reshape({direction.elements()}));
  };
  return row;
}

inline Row descend_row(const Shape& shape) {
  Row row;
  row.inputs = {shape, shape};
  row.name = "descend" + sizes({shape});
  row.forward = [](const auto& in, const Tensor&) {
    Guarded weight(in[0]);
    descend(weight.tensor(), in[1], numbers({1}, in[0]), numbers({0.97, 0.2}, in[0]), 1.5);
    return weight.changed();
  };
  return row;
}

inline Row blend_row(const Shape& shape) {
  Row row;
  row.inputs = {shape, shape};
  row.name = "blend" + sizes({shape});
  row.forward = [](const auto& in, const Tensor&) {
    Guarded y(in[0]);
    blend(y.tensor(), in[1], numbers({1}, in[0]), numbers({0.3}, in[0]));
    return y.changed();
  };
  return row;
}

// The log probabilities of what is drawn, of other indices, and of all: one column beside the
// other.
inline Row draw_row(std::int64_t M, std::int64_t V, const Decoding& decoding) {
  Row row;
  row.inputs = {{M, V}};
  row.index = {M};
  row.index_below = V;
  row.name = "draw" + sizes(row.inputs) + " " + decoding.text();
  std::ranges::replace(row.name, ',', ' ');
  row.forward = [=](const auto& in, const Tensor& index) {
    const auto drawn =
        draw_categorical(in[0], decoding, Random(5, 6), {1, 2, 8}, make_place(3, in[0].backend()));
    Tensor out = Tensor::empty({3 + V, M}, DType::f64, Backend::reference);
    out.rows(0, 1).copy_from(drawn.index.reshape({1, M}));
    out.rows(1, 1).copy_from(drawn.log_p.reshape({1, M}));
    out.rows(2, 1).copy_from(log_categorical(in[0], index, decoding).reshape({1, M}));
    out.rows(3, V).copy_from(log_categorical_all(in[0], decoding).reshape({V, M}));
    // Minus infinity, as a number that can be compared.
    return Tensor::from_values(finite(out.values()), out.shape(), Backend::reference);
  };
  row.tolerance = 1e-14;  // in double on every backend
  return row;
}

// Positions one after the other are of ranges with ends, and of periods.
inline Row bin_slope_row(std::int64_t B, std::int64_t n, std::int64_t V, double temperature) {
  Row row;
  row.inputs = {{B, n, V}};
  row.index = {B, n};
  row.index_below = V;
  row.name = "bin_slope" + sizes(row.inputs) + " " + std::to_string(temperature);
  row.forward = [=](const auto& in, const Tensor& index) {
    std::vector<std::int32_t> round;
    for (std::int64_t t = 0; t < n; ++t) round.push_back(static_cast<std::int32_t>(t % 2));
    const Tensor slope =
        bin_slope(in[0], index, Tensor::from_indices(round, {n}, in[0].backend()), temperature);
    return Tensor::from_values(slope.values(), slope.shape(), Backend::reference);
  };
  row.tolerance = 1e-13;  // in double on every backend
  return row;
}

inline Row sinusoid_row(const Shape& n, std::int64_t channels) {
  Row row;
  row.index = n;
  row.index_below = 5000;
  row.name = "sinusoid" + sizes({n, {channels}});
  row.forward = [=](const auto&, const Tensor& integers) { return sinusoid(integers, channels); };
  return row;
}

inline Row unit_norm_row(const Shape& shape) {
  Row row;
  row.inputs = {shape};
  row.name = "unit_norm" + sizes({shape});
  row.forward = [](const auto& in, const Tensor&) { return unit_norm(in[0], 0.5); };
  return row;
}

// The nearest multiples of a power of two: doubles add up so few bits without rounding, in any
// order.
inline Tensor in_multiples_of(double step, const Tensor& x) {
  std::vector<double> values = x.values();
  for (double& value : values) value = std::round(value / step) * step;
  return Tensor::from_values(values, x.shape(), x.backend());
}

inline Row sum_of_squares_row(const std::vector<Shape>& shapes) {
  Row row;
  row.inputs = shapes;
  row.name = "sum_of_squares" + sizes(shapes);
  row.forward = [](const auto& in, const Tensor&) {
    std::vector<Tensor> x;
    for (const Tensor& one : in) x.push_back(in_multiples_of(0x1p-10, one));
    return sum_of_squares(x);
  };
  row.tolerance = 0;  // in double on every backend
  return row;
}

inline Row clip_scale_row(double largest) {
  Row row = sum_of_squares_row({{3, 7}});
  row.name = "clip_scale " + std::to_string(largest);
  row.forward = [=, squares = row.forward](const auto& in, const Tensor& index) {
    return clip_scale(squares(in, index), largest);
  };
  return row;
}

}  // namespace arbg::tensor::test
