// One thread a row: bound by the launch.
#include <cmath>

#include "tensor/ops/add_log_slopes.h"
#include "tensor/ops/kernel.cuh"

namespace arbg::tensor::cuda {
namespace {

__global__ void sums(Span<double> y, Span<const double> log_q, Span<const double> slope,
                     Span<const double> place, Span<const std::int32_t> count, std::int64_t n) {
  const std::int64_t b = thread_number();
  if (b >= y.size()) return;
  double sum = log_q[b];
  for (std::int64_t t = b * n; t < b * n + count[b]; ++t) sum += log1p(slope[t] * place[t]);
  y[b] = sum;
}

}  // namespace

void add_log_slopes(const Tensor& log_q, const Tensor& slope, const Tensor& place,
                    const Tensor& count, Tensor& y) {
  launch(sums, one_thread_each(y.elements()), numbers<double>(y), numbers<double>(log_q),
         numbers<double>(slope), numbers<double>(place), numbers<std::int32_t>(count),
         slope.extent(1));
}

}  // namespace arbg::tensor::cuda
