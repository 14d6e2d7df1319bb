#include <numeric>
#include <vector>

#include "tensor/base/threads.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/sum_of_squares.h"

namespace arbg::tensor::cpu {

void sum_of_squares(std::span<const Tensor> x, Tensor& y) {
  std::vector<double> sums(x.size());
  parallel_for(std::ssize(x), [&](std::int64_t index) {
    const Tensor& one = x[static_cast<std::size_t>(index)];
    const float* X = one.host_data<float>();
    double sum = 0;
    for (std::int64_t i = 0; i < one.elements(); ++i)
      sum += static_cast<double>(X[i]) * static_cast<double>(X[i]);
    sums[static_cast<std::size_t>(index)] = sum;
  });
  y.host_data<double>()[0] = std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace arbg::tensor::cpu
