// What must hold of selections and of optimisers' steps beyond agreeing with the reference.
#include <doctest/doctest.h>

#include <cmath>

#include "step_rows.h"
#include "tensor/base/error.h"
#include "tensor/base/threads.h"
#include "tensor/ops/add_log_slopes.h"
#include "tensor/ops/log_q_slopes.h"
#include "tests/backends.h"

namespace arbg::tensor::test {
namespace {

Tensor random_tensor(const Shape& shape, Backend backend, std::uint64_t stream = 1) {
  return Tensor::from_values(random_values(shape.elements(), 5, stream), shape, backend);
}

Tensor indices(const std::vector<std::int32_t>& values, const Shape& shape, Backend backend) {
  return Tensor::from_indices(values, shape, backend);
}

// Of the rows of x [M, T].
std::vector<double> sums_in_order(const Tensor& x) {
  const auto T = static_cast<std::size_t>(x.extent(1));
  const auto values = x.values();
  std::vector<double> sums(static_cast<std::size_t>(x.extent(0)));
  for (std::size_t i = 0; i < values.size(); ++i) sums[i / T] += values[i];
  return sums;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("tokens shifted right begin with the start and lose the last; bounds go along") {
    for (const Backend backend : backends_here()) {
      const Tensor tokens = indices({1, 2, 3, 4, 5, 6}, {2, 3}, backend);
      const Tensor input = shift_right(tokens, 9);
      CHECK(input.indices() == std::vector{9, 1, 2, 9, 4, 5});
      CHECK(input.shape() == tokens.shape());
      CHECK(input.index_bounds() == IndexBounds{1, 9});
      CHECK(shift_right(tokens, -1).index_bounds() == IndexBounds{-1, 6});
    }
  }

  TEST_CASE("rows gathered are copies in the order asked for; bounds go along") {
    for (const Backend backend : backends_here()) {
      const Tensor from = indices({2, 0, 2}, {3}, backend);
      const Tensor x = Tensor::from_values(std::vector<double>{1, 2, 3, 4, 5, 6}, {3, 2}, backend);
      CHECK(gather_rows(x, from).values() == std::vector<double>{5, 6, 1, 2, 5, 6});
      const Tensor tokens = gather_rows(indices({7, 8, 9}, {3}, backend), from);
      CHECK(tokens.indices() == std::vector{9, 7, 9});
      CHECK(tokens.index_bounds() == IndexBounds{7, 9});
    }
  }

  TEST_CASE("sums kept in double are exact where doubles are, and the same bits in a batch") {
    for (const Backend backend : backends_here()) {
      for (const std::int64_t T : {7, 1001, 9001}) {
        CAPTURE(T);
        const Tensor x = random_tensor({3, T}, backend), sums = sum_last_in_double(x);
        const Tensor exact = in_multiples_of(0x1p-20, x);  // more bits than a float sum has
        CHECK(sums.dtype() == DType::f64);
        CHECK(sum_last_in_double(x).values() == sums.values());
        CHECK(sum_last_in_double(exact).values() == sums_in_order(exact));
        for (std::int64_t m = 0; m < 3; ++m)
          CHECK(sum_last_in_double(x.rows(m, 1)).item() == sums.rows(m, 1).item());
      }
      const DType real = real_dtype(backend);
      CHECK(sum_last_in_double(Tensor::zeros({0, 4}, real, backend)).shape() == Shape{0});
      CHECK_THROWS_WITH_AS(sum_last_in_double(Tensor::zeros({}, real, backend)),
                           "sum_last: expected x [..., T], found []", Error);
    }
  }

  TEST_CASE("sums kept in double on the host are those in order of the index, to the last bit") {
    for (const Backend backend : {Backend::reference, Backend::cpu}) {
      const Tensor x = random_tensor({3, 1001}, backend);
      CHECK(sum_last_in_double(x).values() == sums_in_order(x));
    }
  }

  TEST_CASE("nothing of what stood in masked rows is left, NaN neither") {
    for (const Backend backend : backends_here()) {
      Tensor x = random_tensor({2, 3, 2}, backend);
      x.reshape({6, 2}).rows(1, 2).fill(NAN);
      const Tensor count = indices({1, 3}, {2}, backend);
      const auto before = x.values(), after = mask_rows(x, count, 0).values();
      for (std::size_t i = 0; i < after.size(); ++i)
        CHECK(after[i] == (i >= 2 && i < 6 ? 0.0 : before[i]));
    }
  }

  TEST_CASE("steps are bitwise the same for any thread count") {
    for (const Backend backend : backends_here()) {
      if (backend == Backend::reference) continue;  // it has one thread
      const Shape shape{5, 40001};
      const auto run = [&](int threads) {
        const int before = thread_count();
        set_thread_count(threads);
        std::vector<std::vector<double>> out;
        for (Row& row :
             std::vector{adamw_step_row(shape), nesterov_step_row(shape), descend_row(shape),
                         blend_row(shape), gather_rows_row(shape, 9),
                         sum_of_squares_row({shape, {3}, shape}), unit_norm_row(shape)}) {
          const auto x = random_inputs(row, backend);
          out.push_back(row.forward(x, random_index(row, backend)).values());
        }
        set_thread_count(before);
        return out;
      };
      CHECK(run(1) == run(3));
    }
  }

  TEST_CASE("log densities get what places within sloped bins add, of as many as count") {
    for (const Backend backend : backends_here()) {
      const Tensor like = random_tensor({1}, backend);
      const Tensor log_q = numbers({-3, 7, 0.5}, like),
                   slope =
                       numbers({1.8, -0.5, 0, 1, 0.3, 1.8, -1.8, 1.8, 1.8}, like).reshape({3, 3}),
                   place = numbers({0.5, 0.25, 0.1, -0.5, -0.2, NAN, NAN, NAN, NAN}, like)
                               .reshape({3, 3}),
                   count = indices({3, 2, 0}, {3}, backend);
      const auto y = add_log_slopes(log_q, slope, place, count).values();
      CHECK(std::abs(y[0] - (-3 + std::log(1.9) + std::log(0.875))) < 1e-14);
      CHECK(std::abs(y[1] - (7 + std::log(0.5) + std::log(0.94))) < 1e-14);
      CHECK(y[2] == 0.5);
      CHECK_THROWS_AS(add_log_slopes(log_q, slope, place.rows(0, 2), count), Error);
      CHECK_THROWS_AS(add_log_slopes(log_q.rows(0, 2), slope, place, count), Error);
      CHECK_THROWS_AS(add_log_slopes(log_q, slope, place, count.rows(0, 2)), Error);
      CHECK_THROWS_WITH_AS(add_log_slopes(log_q, slope, place, indices({3, 4, 0}, {3}, backend)),
                           "add_log_slopes: index 4 at place 1 is outside 0 ... 3", Error);
    }
  }

  TEST_CASE("slopes of a loss are clipped, and NaN where it is not finite") {
    for (const Backend backend : backends_here()) {
      const Tensor like = random_tensor({1}, backend);
      const Tensor log_q = numbers({1, 5, -3, -INFINITY, 0, NAN}, like),
                   log_target = numbers({0, 0, 0, 0, INFINITY, 0}, like),
                   divisor = numbers({2, 4, 8, 1, 1, 1}, like);
      const auto slopes = log_q_slopes(log_q, log_target, divisor, numbers({0.25, 0.5, 2}, like));
      CHECK(slopes.dtype() == real_dtype(backend));
      CHECK(slopes.rows(0, 3).values() == std::vector{-0.4375, -0.125, -0.1875});
      const auto plain = log_q_slopes(log_q, log_target, divisor, numbers({0, 0, 2}, like));
      CHECK(plain.rows(0, 3).values() == std::vector{-0.5, -0.25, -0.125});
      for (const Tensor& all : {slopes, plain})
        for (const double slope : all.rows(3, 3).values()) CHECK(std::isnan(slope));
    }
  }

  TEST_CASE("without a finite norm there is no scale, and no step changes anything") {
    for (const Backend backend : backends_here()) {
      const Tensor x = random_tensor({2, 300}, backend),
                   moving = random_tensor({2, 300}, backend, 2);
      for (const double bad : {static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
        const Tensor scale = clip_scale(numbers({bad}, x), 1);
        CHECK(std::isnan(scale.item()));
        Tensor a = x.clone(), b = x.clone(), c = x.clone();
        adamw_step(a, moving, b, c, scale, numbers({0.9, 0.99, 1e-3, 0.97, 0.02, 0.5}, x));
        CHECK(std::isnan(nesterov_step(b, moving, scale, 0.9).values().back()));
        descend(c, moving, scale, numbers({0.9, 0.1}, x), 1);
        for (Tensor* one : {&a, &b, &c}) {
          blend(*one, moving, scale, numbers({0.3}, x));
          CHECK(one->values() == x.values());
        }
      }
    }
  }

  TEST_CASE("steps, selections and sums of what does not fit are refused") {
    for (const Backend backend : backends_here()) {
      const Tensor x = random_tensor({2, 3}, backend), other = random_tensor({3, 2}, backend);
      const Tensor index = indices({0, 3}, {2}, backend);
      Tensor a = x.clone(), b = x.clone(), c = x.clone();
      CHECK_THROWS_WITH_AS(gather_rows(x, index),
                           "gather_rows: row 3 at place 1 is outside 0 ... 1", Error);
      CHECK_THROWS_AS(gather_rows(x, x), Error);
      CHECK_THROWS_AS(gather_rows_backward(x, index, 3), Error);
      CHECK_THROWS_AS(gather_rows_backward(other, index, 4), Error);
      CHECK_THROWS_WITH_AS(mask_rows(x, indices({1, 4}, {2}, backend), 0),
                           "mask_rows: count 4 at place 1 is outside 0 ... 3", Error);
      CHECK_THROWS_AS(mask_rows(x, indices({1}, {1}, backend), 0), Error);
      CHECK_THROWS_AS(mask_rows(x.reshape({6}), index, 0), Error);
      CHECK_THROWS_AS(shift_right(x, 0), Error);
      CHECK_THROWS_AS(shift_right(indices({1}, {}, backend), 0), Error);
      CHECK_THROWS_AS(transpose(random_tensor({1, 2, 3}, backend)), Error);
      const Tensor one = numbers({1}, x), two = numbers({1, 1}, x);
      const Tensor six = numbers(std::vector(6, 1.0), x);
      CHECK_THROWS_AS(adamw_step(a, other, b, c, one, six), Error);
      CHECK_THROWS_AS(adamw_step(a, x, b, c = other, one, six), Error);
      CHECK_THROWS_WITH_AS(adamw_step(a, x, b, c = x.clone(), one, two),
                           "adamw_step: expected numbers as 6 numbers of type f64", Error);
      CHECK_THROWS_AS(adamw_step(a, x, b, c, two, six), Error);
      CHECK_THROWS_AS(nesterov_step(a, other, one, 0.9), Error);
      CHECK_THROWS_AS(nesterov_step(a, x, two, 0.9), Error);
      CHECK_THROWS_AS(descend(a, other, one, two, 1), Error);
      CHECK_THROWS_AS(descend(a, x, one, one, 1), Error);
      CHECK_THROWS_AS(blend(a, other, one, one), Error);
      CHECK_THROWS_AS(blend(a, x, one, Tensor()), Error);
      CHECK_THROWS_AS(clip_scale(two, 1), Error);
      CHECK_THROWS_AS(clip_scale(one, 0), Error);
      CHECK_THROWS_AS(sum_of_squares({}), Error);
      CHECK_THROWS_AS(sum_of_squares(std::vector{x, index}), Error);
      CHECK(a.values() == x.values());
    }
  }
}

}  // namespace arbg::tensor::test
