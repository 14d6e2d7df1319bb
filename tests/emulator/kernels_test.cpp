// Every kernel for CUDA, at the sizes of the table of operations, against the reference: forward,
// backward, and the same bits in any order of threads and blocks.
#include <doctest/doctest.h>

#include <cmath>

#include "../tensor/step_rows.h"
#include "machine.h"
#include "tensor/ops/operations_cuda.h"

namespace arbg::tensor::test {
namespace {

// A row of the table, whose operation is the reference's, and the same with the kernel's.
struct Pair {
  Row truth, kernel;
};

Pair with(Row truth, decltype(Row::forward) forward, decltype(Row::backward) backward = nullptr) {
  Row kernel = truth;
  kernel.forward = std::move(forward);
  kernel.backward = std::move(backward);
  return {std::move(truth), std::move(kernel)};
}

Pair rmsnorm_pair(const Shape& x, double epsilon) {
  return with(
      rmsnorm_row(x, epsilon),
      [=](const auto& in, const Tensor&) { return cuda::rmsnorm(in[0], in[1], epsilon); },
      [=](const Tensor& dy, const auto& in, const Tensor&) {
        AddedGradient dweight(in[1]);
        const Tensor dx = cuda::rmsnorm_backward(dy, in[0], in[1], epsilon, dweight.pointer());
        cuda::rmsnorm_backward(dy, in[0], in[1], epsilon, nullptr);
        return std::vector{dx, dweight.added()};
      });
}

Pair swiglu_pair(const Shape& shape) {
  return with(
      swiglu_row(shape), [](const auto& in, const Tensor&) { return cuda::swiglu(in[0], in[1]); },
      [](const Tensor& dy, const auto& in, const Tensor&) {
        auto [dgate, dup] = cuda::swiglu_backward(dy, in[0], in[1]);
        return std::vector{dgate, dup};
      });
}

Pair embedding_pair(std::int64_t V, std::int64_t C, const Shape& index) {
  return with(
      embedding_row(V, C, index),
      [](const auto& in, const Tensor& at) { return cuda::embedding(in[0], at); },
      [](const Tensor& dy, const auto& in, const Tensor& at) {
        AddedGradient dtable(in[0]);
        cuda::embedding_backward(dy, at, dtable.pointer());
        return std::vector{dtable.added()};
      });
}

// The row scales its logits by an operation that has no kernel: here it is done on the cpu.
Tensor scaled(const Tensor& x, double factor) {
  return scale(x.to(Backend::cpu), factor).to(Backend::cuda);
}

Pair log_prob_pair(const Shape& logits, double factor) {
  return with(
      log_prob_row(logits, factor),
      [=](const auto& in, const Tensor& at) { return cuda::log_prob(scaled(in[0], factor), at); },
      [=](const Tensor& dy, const auto& in, const Tensor& at) {
        return std::vector{scaled(cuda::log_prob_backward(dy, scaled(in[0], factor), at), factor)};
      });
}

Pair log_softmax_pair(const Shape& logits) {
  return with(log_softmax_row(logits),
              [](const auto& in, const Tensor&) { return cuda::log_softmax(in[0]); });
}

// What the forward saves for the backward is compared as its output too.
Pair attention_pair(std::int64_t B, std::int64_t T, std::int64_t C, int heads) {
  Row truth = attention_row(B, T, C, heads);
  const auto both = [](const Tensor& y, const Tensor& saved) {
    return concat(y.to(Backend::cpu).reshape({y.elements()}),
                  saved.to(Backend::cpu).reshape({saved.elements()}));
  };
  truth.forward = [=](const auto& in, const Tensor&) {
    Tensor saved;
    const Tensor y = causal_attention(in[0], heads, &saved);
    return both(y, saved);
  };
  truth.backward = nullptr;
  return with(truth, [=](const auto& in, const Tensor&) {
    Tensor saved;
    const Tensor y = cuda::causal_attention(in[0], heads, &saved);
    CHECK(cuda::causal_attention(in[0], heads, nullptr).values() == y.values());
    return both(y, saved);
  });
}

Pair adamw_step_pair(const Shape& shape) {
  return with(adamw_step_row(shape), [](const auto& in, const Tensor&) {
    const Tensor squares = square(in[3].to(Backend::cpu)).to(Backend::cuda);
    Guarded weight(in[0]), first(in[2]), second(squares);
    cuda::adamw_step(weight.tensor(), in[1], first.tensor(), second.tensor(),
                     {0.7, 0.9, 0.99, 1e-3, 0.97, 0.02, 0.5});
    const auto on_cpu = [](const Guarded& one) { return one.changed().to(Backend::cpu); };
    return concat(concat(on_cpu(weight), on_cpu(first)), on_cpu(second));
  });
}

Pair blend_pair(const Shape& shape) {
  return with(blend_row(shape), [](const auto& in, const Tensor&) {
    Guarded y(in[0]);
    cuda::blend(y.tensor(), in[1], 0.3);
    return y.changed();
  });
}

// The kernel adds in an order of its own: the truth is the sum without the rounding of any order.
Pair sum_of_squares_pair(const std::vector<Shape>& shapes) {
  Row truth = sum_of_squares_row(shapes);
  truth.forward = [](const auto& in, const Tensor&) {
    long double sum = 0;
    for (const Tensor& one : in) {
      for (const double x : one.values()) sum += static_cast<long double>(x) * x;
    }
    return Tensor::from_values(std::vector{static_cast<double>(sum)}, {1}, Backend::reference);
  };
  return with(truth, [](const auto& in, const Tensor&) {
    Tensor y = Tensor::empty({1}, DType::f64, Backend::cuda);
    cuda::sum_of_squares(in, y);
    return y;
  });
}

std::vector<Pair> pairs() {
  std::vector<Pair> all{embedding_pair(7, 5, {2, 9}),
                        embedding_pair(256, 64, {4, 60}),
                        embedding_pair(3, 16, {0}),
                        embedding_pair(5, 300, {70}),
                        embedding_pair(3, 0, {2}),
                        rmsnorm_pair({2, 60, 64}, 1e-6),
                        rmsnorm_pair({9, 1}, 0.5),
                        rmsnorm_pair({3, 37}, 0.5),
                        rmsnorm_pair({0, 8}, 1e-6),
                        rmsnorm_pair({600, 256}, 1e-6),
                        attention_pair(2, 60, 64, 4),
                        attention_pair(1, 1, 4, 2),
                        attention_pair(3, 13, 10, 2),
                        attention_pair(1, 65, 64, 1),
                        attention_pair(2, 17, 96, 3),
                        attention_pair(1, 190, 34, 2),
                        attention_pair(1, 33, 128, 1),
                        attention_pair(0, 5, 8, 2),
                        attention_pair(2, 0, 8, 2),
                        swiglu_pair({2, 60, 170}),
                        swiglu_pair({1}),
                        swiglu_pair({0, 3}),
                        swiglu_pair({5, 70001}),
                        log_prob_pair({2, 60, 256}, 1.0),
                        log_prob_pair({5, 1}, 1.0),
                        log_prob_pair({3, 7, 37}, 30.0),
                        log_prob_pair({0, 4}, 1.0),
                        log_prob_pair({3, 4099}, 5.0),
                        log_prob_pair({2, 8192}, 1.0),
                        log_softmax_pair({2, 3, 100}),
                        log_softmax_pair({0, 4}),
                        log_softmax_pair({30, 4096}),
                        sum_of_squares_pair({{3, 7}, {0}, {1001}}),
                        sum_of_squares_pair({{0, 2}}),
                        sum_of_squares_pair({{9000}, {4096}, {4097}})};
  for (const Shape& shape : {Shape{3, 5, 7}, Shape{1}, Shape{0, 4}, Shape{2, 33000}}) {
    all.push_back(adamw_step_pair(shape));
    all.push_back(blend_pair(shape));
  }
  for (std::size_t i = 0; i < all.size(); ++i) all[i].truth.seed = all[i].kernel.seed = i + 1;
  return all;
}

std::vector<std::vector<double>> run(const Row& row, Backend backend, std::uint64_t order) {
  emulator::set_seed(order);
  const auto x = random_inputs(row, backend);
  const Tensor index = random_index(row, backend);
  const Tensor y = row.forward(x, index);
  std::vector<std::vector<double>> results{y.values()};
  if (!row.backward) return results;
  const Tensor dy =
      Tensor::from_values(random_values(y.elements(), row.seed, 99), y.shape(), backend);
  for (const Tensor& gradient : row.backward(dy, x, index)) results.push_back(gradient.values());
  return results;
}

// The largest difference over the largest number of `truth`; NaN anywhere gives NaN.
double relative_difference(const std::vector<double>& found, const std::vector<double>& truth) {
  REQUIRE(found.size() == truth.size());
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (std::isnan(found[i]) || std::isnan(truth[i])) return NAN;
    difference = std::max(difference, std::abs(found[i] - truth[i]));
    largest = std::max(largest, std::abs(truth[i]));
  }
  return largest > 0 ? difference / largest : difference;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("every kernel agrees with the reference, and with itself in another order") {
    for (const Pair& pair : pairs()) {
      SUBCASE(pair.truth.name.c_str()) {
        CAPTURE(pair.truth.name);
        const auto truth = run(pair.truth, Backend::reference, 0);
        const auto found = run(pair.kernel, Backend::cuda, 1);
        REQUIRE(found.size() == truth.size());
        for (std::size_t i = 0; i < truth.size(); ++i) {
          CAPTURE(i);  // 0: the output, then the gradients of the inputs in order
          CHECK(relative_difference(found[i], truth[i]) <= pair.truth.tolerance);
        }
        CHECK(run(pair.kernel, Backend::cuda, 2) == found);
      }
    }
  }

  TEST_CASE("a kernel's log_prob is the picked entry of its log_softmax, bitwise") {
    const Tensor logits =
        Tensor::from_values(random_values(40 * 300, 5, 0), {40, 300}, Backend::cuda);
    const auto all = cuda::log_softmax(logits).values();
    for (const std::int32_t v : {0, 31, 299}) {
      const Tensor index = Tensor::from_indices(std::vector(40, v), {40}, Backend::cuda);
      const auto picked = cuda::log_prob(logits, index).values();
      for (std::size_t m = 0; m < 40; ++m) {
        CHECK(picked[m] == all[m * 300 + static_cast<std::size_t>(v)]);
      }
    }
  }

  TEST_CASE(
      "a row that has no finite logit, or NaN, gives NaN, and one with minus infinity does not") {
    const auto log_prob_of = [](std::vector<double> row) {
      const Tensor logits = Tensor::from_values(row, {1, std::ssize(row)}, Backend::cuda);
      return cuda::log_prob(logits, Tensor::from_indices(std::vector{1}, {1}, Backend::cuda))
          .item();
    };
    CHECK(log_prob_of({-INFINITY, 2, -INFINITY}) == 0);
    CHECK(std::isnan(log_prob_of({-INFINITY, -INFINITY})));
    CHECK(std::isnan(log_prob_of({NAN, 2})));
    CHECK(std::isnan(log_prob_of(std::vector<double>(40, -INFINITY))));
    std::vector<double> late(70, 1.0);
    late[65] = NAN;
    CHECK(std::isnan(log_prob_of(late)));
  }

  TEST_CASE(
      "a kernel's attention looks at no later token, and is the same for one sequence alone") {
    const std::int64_t T = 50, C = 12, heads = 2, seen = 37;
    auto values = random_values(2 * T * 3 * C, 7, 0);
    const Tensor qkv = Tensor::from_values(values, {2, T, 3 * C}, Backend::cuda);
    std::fill_n(values.begin() + seen * 3 * C, (T - seen) * 3 * C, NAN);
    const Tensor later = Tensor::from_values(values, {2, T, 3 * C}, Backend::cuda);
    const auto y = cuda::causal_attention(qkv, heads, nullptr).values();
    const auto y_later = cuda::causal_attention(later, heads, nullptr).values();
    const auto alone = cuda::causal_attention(qkv.rows(1, 1), heads, nullptr).values();
    for (std::size_t i = 0; i < static_cast<std::size_t>(seen * C); ++i) CHECK(y[i] == y_later[i]);
    CHECK(std::isnan(y_later[static_cast<std::size_t>(seen * C)]));
    CHECK(std::equal(alone.begin(), alone.end(), y.begin() + T * C));
  }

  TEST_CASE("a head with more channels than a block has room for is refused") {
    const Tensor qkv = Tensor::zeros({1, 2, 3 * 129}, DType::f32, Backend::cuda);
    CHECK_THROWS_WITH_AS(cuda::causal_attention(qkv, 1, nullptr),
                         doctest::Contains("at most 128 channels on cuda, found 129"), Error);
  }
}

}  // namespace arbg::tensor::test
