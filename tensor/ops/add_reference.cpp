// add, add_into: y[i] = a[i] + b[i]; all of one shape, [n].
// add_rows: y[b, i] = x[b, i] + rows[i]; x, y [B, T C], rows [T C].
#include "tensor/ops/add.h"
#include "tensor/ops/dispatch.h"

namespace arbg::tensor::reference {

Tensor add(const Tensor& a, const Tensor& b) {
  Tensor y = empty_like(a, a.shape());
  for (std::int64_t i = 0; i < a.elements(); ++i) {
    y.host_data<double>()[i] = a.host_data<double>()[i] + b.host_data<double>()[i];
  }
  return y;
}

void add_into(Tensor& a, const Tensor& b) {
  for (std::int64_t i = 0; i < a.elements(); ++i)
    a.host_data<double>()[i] += b.host_data<double>()[i];
}

Tensor add_rows(const Tensor& x, const Tensor& rows) {
  const std::int64_t B = x.extent(0), TC = rows.elements();
  Tensor y = empty_like(x, x.shape());
  const double* X = x.host_data<double>();
  const double* R = rows.host_data<double>();
  double* Y = y.host_data<double>();
  for (std::int64_t b = 0; b < B; ++b) {
    for (std::int64_t i = 0; i < TC; ++i) Y[b * TC + i] = X[b * TC + i] + R[i];
  }
  return y;
}

void add_rows_backward(const Tensor& dy, Tensor* drows) {
  const std::int64_t B = dy.extent(0), TC = drows->elements();
  const double* dY = dy.host_data<double>();
  double* dR = drows->host_data<double>();
  for (std::int64_t b = 0; b < B; ++b) {
    // Y[b * TC + i] = X[b * TC + i] + R[i];
    for (std::int64_t i = 0; i < TC; ++i) dR[i] += dY[b * TC + i];
  }
}

}  // namespace arbg::tensor::reference
