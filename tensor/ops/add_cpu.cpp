#include "tensor/ops/add.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/lane_loops.h"

namespace arbg::tensor::cpu {
namespace {

void add_rows_of(std::int64_t count, const float* a, const float* b, float* y) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = a[i] + b[i];
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  Tensor y = empty_like(a, a.shape());
  add_rows_of(a.elements(), a.host_data<float>(), b.host_data<float>(), y.host_data<float>());
  return y;
}

void add_into(Tensor& a, const Tensor& b) {
  add_rows_of(a.elements(), a.host_data<float>(), b.host_data<float>(), a.host_data<float>());
}

Tensor add_rows(const Tensor& x, const Tensor& rows) {
  const std::int64_t B = x.extent(0), TC = rows.elements();
  Tensor y = empty_like(x, x.shape());
  for (std::int64_t b = 0; b < B; ++b) {
    add_rows_of(TC, x.host_data<float>() + b * TC, rows.host_data<float>(),
                y.host_data<float>() + b * TC);
  }
  return y;
}

void add_rows_backward(const Tensor& dy, Tensor* drows) {
  const std::int64_t B = dy.extent(0), TC = drows->elements();
  float* dR = drows->host_data<float>();
  // add_rows_of(TC, X + b * TC, R, Y + b * TC);
  for (std::int64_t b = 0; b < B; ++b) add_rows_of(TC, dR, dy.host_data<float>() + b * TC, dR);
}

}  // namespace arbg::tensor::cpu
