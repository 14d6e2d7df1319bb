#include "nn/transformer/row_sums.h"

#include <algorithm>

#include "tensor/base/error.h"
#include "tensor/device/for_each_on.h"

namespace arbg::nn {

std::vector<double> row_sums(
    tensor::Device device, std::int64_t count, std::int64_t micro_batch,
    const std::function<std::vector<double>(std::int64_t first, std::int64_t rows)>& terms,
    const std::function<bool()>& stop) {
  require(micro_batch >= 1, "the micro-batch must be at least 1, not ", micro_batch);
  std::vector<double> sums(static_cast<std::size_t>(count));
  tensor::for_each_on(device, (count + micro_batch - 1) / micro_batch, [&](std::int64_t batch) {
    if (stop && stop()) return;
    const auto first = batch * micro_batch, rows = std::min(micro_batch, count - first);
    const auto values = terms(first, rows);
    const auto n = values.size() / static_cast<std::size_t>(rows);
    for (std::size_t i = 0; i < values.size(); ++i)
      sums[static_cast<std::size_t>(first) + i / n] += values[i];
  });
  return sums;
}

}  // namespace arbg::nn
