// A launch for the columns of a and one for those of b, one thread for four numbers of a row. Bound
// by memory: 8 bytes an element.
#include "tensor/ops/concat.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel_fours.cuh"

namespace arbg::tensor::cuda {
namespace {

// Columns first ... first + W - 1 of each row of `pitch` numbers.
struct Columns {
  std::int64_t pitch, first;
};

// to[m, to_columns] = from[m, from_columns], M rows of W.
__global__ void copy_each(Span<float> to, Columns to_columns, Span<const float> from,
                          Columns from_columns, std::int64_t M, std::int64_t W, bool wide) {
  const auto [m, i] = own_four(W);
  if (m >= M) return;
  const std::int64_t to_row = m * to_columns.pitch + to_columns.first,
                     from_row = m * from_columns.pitch + from_columns.first;
  set_four(to, to_row + i, to_row + W, four_of(from, from_row + i, from_row + W, wide), wide);
}

void copy_columns(Tensor& to, Columns to_columns, const Tensor& from, Columns from_columns,
                  std::int64_t M, std::int64_t W) {
  // And so the first columns: each is 0, or the one pitch less the other.
  const bool by_fours = to_columns.pitch % 4 == 0 && from_columns.pitch % 4 == 0;
  const auto there = numbers<float>(to);
  const auto here = numbers<float>(from);
  launch(copy_each, one_thread_a_four(M, W), there, to_columns, here, from_columns, M, W,
         by_fours && wide(there, here));
}

}  // namespace

Tensor concat(const Tensor& a, const Tensor& b) {
  const std::int64_t M = row_count(a.shape()), A = a.extent(-1), B = b.extent(-1);
  Tensor y = empty_like(a, with_last(a.shape(), A + B));
  copy_columns(y, {A + B, 0}, a, {A, 0}, M, A);
  copy_columns(y, {A + B, A}, b, {B, 0}, M, B);
  return y;
}

ConcatGradients concat_backward(const Tensor& dy, std::int64_t columns_of_a) {
  const std::int64_t M = row_count(dy.shape()), A = columns_of_a, B = dy.extent(-1) - A;
  ConcatGradients g{empty_like(dy, with_last(dy.shape(), A)),
                    empty_like(dy, with_last(dy.shape(), B))};
  // copy_columns(y, {A + B, 0}, a, {A, 0}, M, A); copy_columns(y, {A + B, A}, b, {B, 0}, M, B);
  copy_columns(g.da, {A, 0}, dy, {A + B, 0}, M, A);
  copy_columns(g.db, {B, 0}, dy, {A + B, A}, M, B);
  return g;
}

}  // namespace arbg::tensor::cuda
