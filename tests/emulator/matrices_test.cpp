// Small matrices of tensor cores: their layouts, as NVIDIA's "PTX ISA" states them number by
// number, give the product, another does not; and what is wrong with a load is named.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "faults.h"
#include "tensor/ops/kernel_matrices.cuh"

namespace arbg::tensor::cuda {
namespace {

constexpr int kRows = 16, kInner = 16, kColumns = 8;

// The number i of a lane: its row and column.
struct Spot {
  int row, column;
};
__device__ Spot spot_of_a(int i) {
  const int group = this_lane() / 4, of_group = this_lane() % 4;
  return {i < 2 || (4 <= i && i < 6) ? group : group + 8, of_group * 2 + i % 2 + (i < 4 ? 0 : 8)};
}
__device__ Spot spot_of_b(int i) {
  return {this_lane() % 4 * 2 + i % 2 + (i < 2 ? 0 : 8), this_lane() / 4};
}
__device__ Spot spot_of_sum(int i) {
  return {this_lane() / 4 + (i < 2 ? 0 : 8), this_lane() % 4 * 2 + i % 2};
}

enum class Wrong { nothing, rows_of_a, halves_of_b, order_in_pairs };

// y [2, 16, 8]: y + a b, by either warp.
__global__ void product(Span<float> y, Span<const float> a, Span<const float> b, Wrong wrong) {
  const auto at_a = [&](int i) -> float {
    return a[spot_of_a(i).row * kInner + spot_of_a(i).column];
  };
  const auto at_b = [&](int i) -> float {
    return b[spot_of_b(i).row * kColumns + spot_of_b(i).column];
  };
  Four<Pair> own_a;
  Two<Pair> own_b;
  for (int i = 0; i < 4; ++i) own_a[i] = pair_of(at_a(2 * i), at_a(2 * i + 1));
  for (int i = 0; i < 2; ++i) own_b[i] = pair_of(at_b(2 * i), at_b(2 * i + 1));
  if (wrong == Wrong::rows_of_a) std::swap(own_a[1], own_a[2]);
  if (wrong == Wrong::halves_of_b) std::swap(own_b[0], own_b[1]);
  if (wrong == Wrong::order_in_pairs) own_b[0] = pair_of(at_b(1), at_b(0));
  float sums[4];
  const auto place = [&](int i) {
    return this_warp() * kRows * kColumns + spot_of_sum(i).row * kColumns + spot_of_sum(i).column;
  };
  for (int i = 0; i < 4; ++i) sums[i] = y[place(i)];
  multiply_add(sums, own_a, own_b);
  for (int i = 0; i < 4; ++i) y[place(i)] = sums[i];
}

constexpr int kPitch = 8;  // pairs: rows of 16 numbers

// Of 32 rows with the numbers 16 row + column, up to 255 and again, each lane gives its own, so
// that four matrices lie one below the other; what a lane gets is 8 numbers of y.
__global__ void loads(Span<float> y, bool transposed, bool waits, int shift) {
  ARBG_SHARED(Pair, tile, 32 * kPitch);
  for (int i = this_thread(); i < 32 * kPitch; i += kThreadsOfBlock)
    tile[i] = pair_of(static_cast<float>(2 * i % 256), static_cast<float>(2 * i % 256 + 1));
  if (waits) __syncthreads();
  const int at = this_lane() * kPitch + shift;
  FAULT_BELOW;
  const Four<Pair> x = transposed ? load_matrices<true>(tile, at) : load_matrices<false>(tile, at);
  for (int m = 0; m < 4; ++m) {
    y[8 * this_thread() + 2 * m] = first_of(x[m]);
    y[8 * this_thread() + 2 * m + 1] = second_of(x[m]);
  }
}

__global__ void some_multiply(Span<float> y, int lanes) {
  float sums[4] = {};
  FAULT_BELOW;
  if (this_lane() < lanes) multiply_add(sums, {0U, 0U, 0U, 0U}, {0U, 0U});
  y[this_thread()] = sums[0];
}

__global__ void pairs(Span<float> y, Span<const float> x) {
  const Pair pair = pair_of(x[2 * this_thread()], x[2 * this_thread() + 1]);
  y[2 * this_thread()] = first_of(pair);
  y[2 * this_thread() + 1] = second_of(pair);
}

Tensor tensor_of(const std::vector<double>& values) {
  return Tensor::from_values(values, {static_cast<std::int64_t>(values.size())}, Backend::cuda);
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("lanes that hold matrices as PTX says multiply them, and in no other layout") {
    std::vector<double> a, b, expected;
    for (int i = 0; i < kRows * kInner; ++i) a.push_back(i * 7 % 31 - 15);
    for (int i = 0; i < kInner * kColumns; ++i) b.push_back(i * 5 % 23 - 11);
    for (int i = 0; i < kRows * kColumns; ++i) {
      double sum = 1;
      for (int k = 0; k < kInner; ++k)
        sum += a[static_cast<std::size_t>(i / kColumns * kInner + k)] *
               b[static_cast<std::size_t>(k * kColumns + i % kColumns)];
      expected.push_back(sum);
    }
    expected.insert(expected.end(), expected.begin(), expected.begin() + kRows * kColumns);
    const Tensor left = tensor_of(a), right = tensor_of(b);
    for (const Wrong wrong :
         {Wrong::nothing, Wrong::rows_of_a, Wrong::halves_of_b, Wrong::order_in_pairs}) {
      CAPTURE(static_cast<int>(wrong));
      Tensor y = zeros(2 * kRows * kColumns);
      y.fill(1);
      launch(product, {1, kThreadsOfBlock}, numbers<float>(y), numbers<float>(left),
             numbers<float>(right), wrong);
      CHECK((y.values() == expected) == (wrong == Wrong::nothing));
    }
  }

  TEST_CASE("matrices of 8 x 8 numbers come by rows, or transposed, from where lanes say") {
    Tensor y = zeros(8 * kThreadsOfBlock);
    for (const bool transposed : {false, true}) {
      for (const int shift : {0, 4}) {
        CHECK(fault_of(loads, numbers<float>(y), transposed, true, shift) == "");
        const auto found = y.values();
        for (int i = 0; i < 8 * kThreadsOfBlock; ++i) {
          const int lane = i / 8 % kWarp, matrix = i % 8 / 2, one = lane / 4,
                    other = lane % 4 * 2 + i % 2, row = transposed ? other : one,
                    column = transposed ? one : other;
          CHECK(found[static_cast<std::size_t>(i)] ==
                (16 * (8 * matrix + row) + column + 2 * shift) % 256);
        }
      }
    }
  }

  TEST_CASE("a load of matrices before a barrier, between 16 bytes or outside is named") {
    Tensor y = zeros(8 * kThreadsOfBlock);
    const auto out = numbers<float>(y);
    for (const bool transposed : {false, true}) {
      const std::string early = fault_of(loads, out, transposed, false, 0);
      CHECK((early.find("nobody has written") != std::string::npos || names(early, "a race")));
      names(fault_of(loads, out, transposed, true, 2), "begins 8 bytes behind a multiple");
      names(fault_of(loads, out, transposed, true, 8), "is outside of an array");
    }
    CHECK(fault_of(some_multiply, out, kWarp) == "");
    names(fault_of(some_multiply, out, 31), "does not come");
  }

  TEST_CASE("pairs are rounded to nearest, ties to even; infinity and NaN stay") {
    constexpr double kUlp = 0.0078125, kInfinity = std::numeric_limits<double>::infinity();
    const std::vector<double> given{
        1, -2, 1 + kUlp / 2, 1 + 3 * kUlp / 2, 1 + kUlp / 2 + 1e-6, -1 - kUlp / 2, kInfinity, NAN},
        expected{1, -2, 1, 1 + 2 * kUlp, 1 + kUlp, -1, kInfinity, NAN};
    std::vector<double> all;
    while (all.size() < 2 * kThreadsOfBlock) all.insert(all.end(), given.begin(), given.end());
    const Tensor x = tensor_of(all);
    Tensor y = zeros(2 * kThreadsOfBlock);
    CHECK(fault_of(pairs, numbers<float>(y), numbers<float>(x)) == "");
    const auto found = y.values();
    for (std::size_t i = 0; i < found.size(); ++i) {
      const double should = expected[i % given.size()];
      CHECK((found[i] == should || (std::isnan(found[i]) && std::isnan(should))));
    }
  }
}

}  // namespace arbg::tensor::cuda
