// One thread for four numbers; the backward is a sum over the rows of B x TC numbers. Bound by
// memory: add and add_into 12 bytes an element, add_rows 8 and the rows once, its backward 4.
#include "tensor/ops/add.h"
#include "tensor/ops/kernel_fours.cuh"
#include "tensor/ops/kernel_sums.cuh"

namespace arbg::tensor::cuda {
namespace {

struct Sum {
  __device__ Numbers<1> operator()(const Numbers<2>& x) const { return {x[0] + x[1]}; }
};

__global__ void add_rows_each(Span<float> y, Span<const float> x, Span<const float> rows,
                              std::int64_t B, bool wide) {
  const std::int64_t TC = rows.size();
  const auto [b, i] = own_four(TC);
  if (b >= B) return;
  Four<float> sum = four_of(x, b * TC + i, (b + 1) * TC, wide);
  const Four<float> row = four_of(rows, i, TC, wide);
  for (int j = 0; j < 4; ++j) sum[j] += row[j];
  set_four(y, b * TC + i, (b + 1) * TC, sum, wide);
}

// y[b * TC + i] = x[b * TC + i] + rows[i], summed over b.
struct OfGradient {
  Span<const float> dy;
  std::int64_t TC;
  __device__ float operator()(std::int64_t b, std::int64_t i) const { return dy[b * TC + i]; }
};

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  Tensor y = empty_like(a, a.shape());
  map_each(writes(y), reads(a, b), Sum());
  return y;
}

void add_into(Tensor& a, const Tensor& b) { change_each<1>(writes(a), reads(b), Sum()); }

Tensor add_rows(const Tensor& x, const Tensor& rows) {
  const std::int64_t B = x.extent(0), TC = rows.elements();
  Tensor y = empty_like(x, x.shape());
  const auto to = numbers<float>(y);
  const auto from = numbers<float>(x), added = numbers<float>(rows);
  launch(add_rows_each, one_thread_a_four(B, TC), to, from, added, B,
         TC % 4 == 0 && wide(to, from, added));
  return y;
}

void add_rows_backward(const Tensor& dy, Tensor* drows) {
  const std::int64_t B = dy.extent(0), TC = drows->elements();
  add_sum_of_rows(*drows, B, TC, OfGradient{numbers<float>(dy), TC});
}

}  // namespace arbg::tensor::cuda
