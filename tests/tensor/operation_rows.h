// The table that every operation is tested from: one row is one operation at one set of shapes.
//
// A row maps real inputs (and indices) to one output, and an output gradient to the gradients of
// all real inputs. Parameter gradients, which operations add to, live between sentinels and start
// from a number that is not zero; the row takes both off again, so that all gradients can be
// compared alike.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tensor/base/random.h"
#include "tensor/ops/add.h"
#include "tensor/ops/attention.h"
#include "tensor/ops/concat.h"
#include "tensor/ops/dropout.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/embedding.h"
#include "tensor/ops/layernorm.h"
#include "tensor/ops/linear.h"
#include "tensor/ops/log_prob.h"
#include "tensor/ops/matmul.h"
#include "tensor/ops/place.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/rmsnorm.h"
#include "tensor/ops/swiglu.h"
#include "tensor/ops/tanh_gate.h"
#include "tensor/ops/tilt.h"

namespace arbg::tensor::test {

struct Row {
  std::string name;
  std::vector<Shape> inputs;
  std::function<Tensor(const std::vector<Tensor>& x, const Tensor& index)> forward;
  std::function<std::vector<Tensor>(const Tensor& dy, const std::vector<Tensor>& x,
                                    const Tensor& index)>
      backward;  // empty: the operation has none
  Shape index = {0};
  std::int64_t index_below = 1;
  double tolerance =
      2e-6;  // of float32 against double, relative to the largest number of the tensor
  std::uint64_t seed = 1;
};

// Normal random numbers that float32 holds exactly, so that both backends see the same inputs.
inline std::vector<double> random_values(std::int64_t count, std::uint64_t seed,
                                         std::uint64_t stream) {
  const Random random(seed, stream_id("tensor test", stream));
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(static_cast<double>(
        static_cast<float>(random.normal_pair(static_cast<std::uint64_t>(i))[0])));
  }
  return values;
}

inline Tensor random_index(const Row& row, Backend backend) {
  const Random random(row.seed, stream_id("tensor test index"));
  std::vector<std::int32_t> index;
  for (std::int64_t i = 0; i < row.index.elements(); ++i) {
    index.push_back(
        static_cast<std::int32_t>(random.below(row.index_below, static_cast<std::uint64_t>(i))));
  }
  return Tensor::from_indices(index, row.index, backend);
}

inline std::vector<Tensor> random_inputs(const Row& row, Backend backend) {
  std::vector<Tensor> x;
  for (std::size_t i = 0; i < row.inputs.size(); ++i) {
    x.push_back(Tensor::from_values(random_values(row.inputs[i].elements(), row.seed, i),
                                    row.inputs[i], backend));
  }
  return x;
}

// A gradient to add to: rows of a larger tensor whose first and last row must stay as they are.
class AddedGradient {
 public:
  explicit AddedGradient(const Tensor& parameter) : shape_(parameter.shape()) {
    std::vector<std::int64_t> extents;
    for (int axis = 0; axis < shape_.rank(); ++axis) extents.push_back(shape_[axis]);
    extents[0] += 2;
    whole_ = Tensor::empty(Shape(std::span<const std::int64_t>(extents)), parameter.dtype(),
                           parameter.backend());
    whole_.fill(kStart);
    inside_ = whole_.rows(1, shape_[0]);
  }
  Tensor* pointer() { return &inside_; }

  // What was added.
  Tensor added() const {
    const auto untouched = [&](const Tensor& sentinels) {
      for (const double value : sentinels.values()) REQUIRE(value == kStart);
    };
    untouched(whole_.rows(0, 1));
    untouched(whole_.rows(shape_[0] + 1, 1));
    std::vector<double> values = inside_.values();
    for (double& value : values) value -= kStart;
    return Tensor::from_values(values, shape_, whole_.backend());
  }

 private:
  static constexpr double kStart = 0.25;
  Shape shape_;
  Tensor whole_, inside_;
};

// " 3x15x64 64x192", without commas, which would split a test filter.
inline std::string sizes(const std::vector<Shape>& shapes) {
  std::string text;
  for (const auto& shape : shapes) {
    for (int axis = 0; axis < shape.rank(); ++axis) {
      text += (axis > 0 ? "x" : " ") + std::to_string(shape[axis]);
    }
  }
  return text;
}

inline Row linear_row(const Shape& x, std::int64_t N, bool with_bias) {
  Row row;
  row.inputs = {x, {N, x[-1]}};
  if (with_bias) row.inputs.push_back({N});
  row.name = "linear" + sizes(row.inputs);
  row.forward = [](const auto& in, const Tensor&) {
    return linear(in[0], in[1], in.size() > 2 ? in[2] : Tensor());
  };
  row.backward = [](const Tensor& dy, const auto& in, const Tensor&) {
    AddedGradient dweight(in[1]);
    if (in.size() == 2) {
      const Tensor dx = linear_backward(dy, in[0], in[1], dweight.pointer(), nullptr, true);
      return std::vector{dx, dweight.added()};
    }
    AddedGradient dbias(in[2]);
    const Tensor dx = linear_backward(dy, in[0], in[1], dweight.pointer(), dbias.pointer(), true);
    return std::vector{dx, dweight.added(), dbias.added()};
  };
  row.tolerance = 5e-6;
  return row;
}

inline Row matmul_row(std::int64_t M, std::int64_t K, std::int64_t N) {
  Row row;
  row.inputs = {{M, K}, {K, N}};
  row.name = "matmul" + sizes(row.inputs);
  row.forward = [](const auto& in, const Tensor&) { return matmul(in[0], in[1]); };
  row.backward = [](const Tensor& dy, const auto& in, const Tensor&) {
    auto [da, db] = matmul_backward(dy, in[0], in[1]);
    return std::vector{da, db};
  };
  row.tolerance = 5e-6;
  return row;
}

inline Row embedding_row(std::int64_t V, std::int64_t C, const Shape& index) {
  Row row;
  row.inputs = {{V, C}};
  row.index = index;
  row.index_below = V;
  row.name = "embedding" + sizes({row.inputs[0], index});
  row.forward = [](const auto& in, const Tensor& at) { return embedding(in[0], at); };
  row.backward = [](const Tensor& dy, const auto& in, const Tensor& at) {
    AddedGradient dtable(in[0]);
    embedding_backward(dy, at, dtable.pointer());
    return std::vector{dtable.added()};
  };
  return row;
}

inline Row rmsnorm_row(const Shape& x, double epsilon) {
  Row row;
  row.inputs = {x, {x[-1]}};
  row.name = "rmsnorm" + sizes(row.inputs) + " epsilon " + std::to_string(epsilon);
  row.forward = [epsilon](const auto& in, const Tensor&) { return rmsnorm(in[0], in[1], epsilon); };
  row.backward = [epsilon](const Tensor& dy, const auto& in, const Tensor&) {
    AddedGradient dweight(in[1]);
    const Tensor dx = rmsnorm_backward(dy, in[0], in[1], epsilon, dweight.pointer());
    return std::vector{dx, dweight.added()};
  };
  return row;
}

inline Row attention_row(std::int64_t B, std::int64_t T, std::int64_t C, int heads) {
  Row row;
  row.inputs = {{B, T, 3 * C}};
  row.name = "causal_attention" + sizes(row.inputs) + " heads " + std::to_string(heads);
  row.forward = [heads](const auto& in, const Tensor&) {
    return causal_attention(in[0], heads, nullptr);
  };
  row.backward = [heads](const Tensor& dy, const auto& in, const Tensor&) {
    Tensor saved;
    causal_attention(in[0], heads, &saved);
    return std::vector{causal_attention_backward(dy, in[0], saved, heads)};
  };
  row.tolerance = 3e-6;
  return row;
}

inline Row layernorm_row(const Shape& x, double epsilon) {
  Row row;
  row.inputs = {x, {x[-1]}, {x[-1]}};
  row.name = "layernorm" + sizes(row.inputs) + " epsilon " + std::to_string(epsilon);
  row.forward = [epsilon](const auto& in, const Tensor&) {
    return layernorm(in[0], in[1], in[2], epsilon);
  };
  row.backward = [epsilon](const Tensor& dy, const auto& in, const Tensor&) {
    AddedGradient dweight(in[1]), dbias(in[2]);
    const Tensor dx =
        layernorm_backward(dy, in[0], in[1], epsilon, dweight.pointer(), dbias.pointer());
    return std::vector{dx, dweight.added(), dbias.added()};
  };
  row.tolerance = 5e-6;
  return row;
}

// The random index is the number of entries that are padding.
inline Row cross_attention_row(std::int64_t B, std::int64_t T, std::int64_t N, std::int64_t C,
                               int heads) {
  Row row;
  row.inputs = {{B, T, C}, {B, N, C}, {B, N, C}};
  row.index = {B};
  row.index_below = N;
  row.name = "cross_attention" + sizes(row.inputs) + " heads " + std::to_string(heads);
  const auto count = [N](const Tensor& padding) {
    std::vector<std::int32_t> entries;
    for (const auto p : padding.indices()) entries.push_back(static_cast<std::int32_t>(N) - p);
    return Tensor::from_indices(entries, padding.shape(), padding.backend());
  };
  row.forward = [=](const auto& in, const Tensor& padding) {
    return cross_attention(in[0], in[1], in[2], count(padding), heads, nullptr);
  };
  row.backward = [=](const Tensor& dy, const auto& in, const Tensor& padding) {
    Tensor saved;
    cross_attention(in[0], in[1], in[2], count(padding), heads, &saved);
    auto [dq, dk, dv] =
        cross_attention_backward(dy, in[0], in[1], in[2], count(padding), saved, heads);
    return std::vector{dq, dk, dv};
  };
  row.tolerance = 5e-6;
  return row;
}

inline Row concat_row(const Shape& a, std::int64_t B) {
  Row row;
  Shape b = a.rank() == 1 ? Shape{B} : a.rank() == 2 ? Shape{a[0], B} : Shape{a[0], a[1], B};
  row.inputs = {a, b};
  row.name = "concat" + sizes(row.inputs);
  row.forward = [](const auto& in, const Tensor&) { return concat(in[0], in[1]); };
  row.backward = [](const Tensor& dy, const auto& in, const Tensor&) {
    auto [da, db] = concat_backward(dy, in[0].extent(-1));
    return std::vector{da, db};
  };
  return row;
}

inline Row tanh_gate_row(const Shape& shape) {
  Row row;
  row.inputs = {shape, {1}};
  row.name = "tanh_gate" + sizes(row.inputs);
  row.forward = [](const auto& in, const Tensor&) { return tanh_gate(in[0], in[1]); };
  row.backward = [](const Tensor& dy, const auto& in, const Tensor&) {
    AddedGradient dgate(in[1]);
    const Tensor dx = tanh_gate_backward(dy, in[0], in[1], dgate.pointer());
    return std::vector{dx, dgate.added()};
  };
  return row;
}

inline Row dropout_row(const Shape& shape, double rate) {
  Row row;
  row.inputs = {shape};
  row.name = "dropout" + sizes(row.inputs) + " rate " + std::to_string(rate);
  row.forward = [rate](const auto& in, const Tensor&) {
    return dropout(in[0], rate, {3, 4, make_place(7, in[0].backend())}, 5);
  };
  row.backward = [rate](const Tensor& dy, const auto&, const Tensor&) {
    return std::vector{dropout(dy, rate, {3, 4, make_place(7, dy.backend())}, 5)};
  };
  return row;
}

inline Row swiglu_row(const Shape& shape) {
  Row row;
  row.inputs = {shape, shape};
  row.name = "swiglu" + sizes({shape});
  row.forward = [](const auto& in, const Tensor&) { return swiglu(in[0], in[1]); };
  row.backward = [](const Tensor& dy, const auto& in, const Tensor&) {
    auto [dgate, dup] = swiglu_backward(dy, in[0], in[1]);
    return std::vector{dgate, dup};
  };
  return row;
}

inline Row add_row(const Shape& shape) {
  Row row;
  row.inputs = {shape, shape};
  row.name = "add" + sizes({shape});
  row.forward = [](const auto& in, const Tensor&) {
    Tensor sum = in[0].clone();
    add_into(sum, in[1]);
    REQUIRE(sum.values() == add(in[0], in[1]).values());
    return sum;
  };
  return row;
}

inline Row add_rows_row(std::int64_t B, std::int64_t T, std::int64_t C) {
  Row row;
  row.inputs = {{B, T, C}, {T, C}};
  row.name = "add_rows" + sizes(row.inputs);
  row.forward = [](const auto& in, const Tensor&) { return add_rows(in[0], in[1]); };
  row.backward = [](const Tensor& dy, const auto& in, const Tensor&) {
    AddedGradient drows(in[1]);
    add_rows_backward(dy, drows.pointer());
    return std::vector{dy, drows.added()};
  };
  return row;
}

// Slots from the last one down to -1, which is none, and again. The curves are no input: they have
// no gradient.
inline Row tilt_row(std::int64_t B, std::int64_t T, std::int64_t S, std::int64_t K,
                    std::int64_t V) {
  Row row;
  const Shape curves{B, S, K, V};
  row.inputs = {{B, T, V}, {B, T, K}};
  row.name = "tilt" + sizes({row.inputs[0], row.inputs[1], curves});
  const auto u = [=](Backend backend) {
    return Tensor::from_values(random_values(curves.elements(), 6, 7), curves, backend);
  };
  const auto slot = [=](Backend backend) {
    std::vector<std::int32_t> slots;
    for (std::int64_t t = 0; t < T; ++t)
      slots.push_back(static_cast<std::int32_t>(S - 1 - t % (S + 1)));
    return Tensor::from_indices(slots, {T}, backend);
  };
  row.forward = [=](const auto& in, const Tensor&) {
    return tilt(in[0], in[1], u(in[0].backend()), slot(in[0].backend()));
  };
  row.backward = [=](const Tensor& dy, const auto& in, const Tensor&) {
    AddedGradient dg(in[1]);
    tilt_backward(dy, u(dy.backend()), slot(dy.backend()), dg.pointer());
    return std::vector{dy, dg.added()};
  };
  return row;
}

inline Row log_prob_row(const Shape& logits, double scale_of_logits) {
  Row row;
  row.inputs = {logits};
  row.index_below = logits[-1];
  row.index = logits.rank() == 3 ? Shape{logits[0], logits[1]} : Shape{logits[0]};
  row.name = "log_prob" + sizes({logits}) + " logits times " + std::to_string(scale_of_logits);
  row.forward = [scale_of_logits](const auto& in, const Tensor& at) {
    return log_prob(scale(in[0], scale_of_logits), at);
  };
  row.backward = [scale_of_logits](const Tensor& dy, const auto& in, const Tensor& at) {
    const Tensor logits_of_x = scale(in[0], scale_of_logits);
    return std::vector{scale(log_prob_backward(dy, logits_of_x, at), scale_of_logits)};
  };
  return row;
}

inline Row log_softmax_row(const Shape& logits) {
  Row row;
  row.inputs = {logits};
  row.name = "log_softmax" + sizes({logits});
  row.forward = [](const auto& in, const Tensor&) { return log_softmax(in[0]); };
  return row;
}

// A function of one tensor, with its backward from (dy, x).
template <class Forward, class Backward>
Row unary_row(const std::string& name, const Shape& shape, Forward forward, Backward backward) {
  Row row;
  row.inputs = {shape};
  row.name = name + sizes({shape});
  row.forward = [forward](const auto& in, const Tensor&) { return forward(in[0]); };
  row.backward = [backward](const Tensor& dy, const auto& in, const Tensor&) {
    return std::vector<Tensor>{backward(dy, in[0])};
  };
  return row;
}

inline std::vector<Row> elementwise_rows(const Shape& shape) {
  Row product;
  product.inputs = {shape, shape};
  product.name = "multiply" + sizes({shape});
  product.forward = [](const auto& in, const Tensor&) { return multiply(in[0], in[1]); };
  product.backward = [](const Tensor& dy, const auto& in, const Tensor&) {
    auto [da, db] = multiply_backward(dy, in[0], in[1]);
    return std::vector{da, db};
  };
  using T = const Tensor&;
  return {product,
          unary_row(
              "scale", shape, [](T x) { return scale(x, -1.5); },
              [](T dy, T) { return scale(dy, -1.5); }),
          unary_row("square", shape, square, square_backward),
          unary_row("gelu", shape, gelu, gelu_backward),
          unary_row("sum_last", shape, sum_last,
                    [](T dy, T x) { return sum_last_backward(dy, x.shape()); }),
          unary_row("sum_all", shape, sum_all,
                    [](T dy, T x) { return sum_all_backward(dy, x.shape()); })};
}

inline Row mean_row(const Shape& shape) {
  using T = const Tensor&;
  return unary_row("mean_all", shape, mean_all,
                   [](T dy, T x) { return mean_all_backward(dy, x.shape()); });
}

// Every row gets its own random numbers.
inline std::vector<Row> with_seeds(std::vector<Row> rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].seed = i + 1;
  return rows;
}

}  // namespace arbg::tensor::test
