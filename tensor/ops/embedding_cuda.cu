// Forward: one thread an element of y, 8 bytes each. Backward: one block a row of the table, its
// threads over the channels, each warp looking through all indices, 32 at a time; no atomics, so
// that a row is summed in the order of m.
#include <algorithm>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/embedding.h"
#include "tensor/ops/kernel.cuh"

namespace arbg::tensor::cuda {
namespace {

__global__ void forward(Span<float> y, Span<const float> table, Span<const std::int32_t> index,
                        std::int64_t C) {
  const std::int64_t i = thread_number();
  if (i < y.size()) y[i] = table[index[i / C] * C + i % C];
}

__global__ void backward(Span<float> dtable, Span<const float> dy, Span<const std::int32_t> index,
                         std::int64_t C) {
  const std::int64_t v = blockIdx.x, M = index.size();
  for (std::int64_t first = 0; first < C; first += block_threads()) {
    const std::int64_t c = first + this_thread();
    float sum = 0;
    for (std::int64_t some = 0; some < M; some += kWarp) {
      const std::int64_t m = some + this_lane();
      unsigned hits = __ballot_sync(kAllLanes, m < M && index[m] == v);
      for (; hits != 0 && c < C; hits &= hits - 1) {
        // y[m * C + c] = table[index[m] * C + c];
        sum += dy[(some + __ffs(static_cast<int>(hits)) - 1) * C + c];
      }
    }
    if (c < C) dtable[v * C + c] += sum;
  }
}

}  // namespace

Tensor embedding(const Tensor& table, const Tensor& index) {
  const std::int64_t C = table.extent(1);
  Tensor y = empty_like(table, with_extra_axis(index.shape(), C));
  launch(forward, one_thread_each(y.elements()), numbers<float>(y), numbers<float>(table),
         numbers<std::int32_t>(index), C);
  return y;
}

void embedding_backward(const Tensor& dy, const Tensor& index, Tensor* dtable) {
  const std::int64_t C = dtable->extent(1);
  if (dy.elements() == 0) return;
  const std::int64_t threads = std::min(divided_up(C, kWarp) * kWarp, kThreads);
  launch(backward, {dtable->extent(0), threads}, numbers<float>(*dtable), numbers<float>(dy),
         numbers<std::int32_t>(index), C);
}

}  // namespace arbg::tensor::cuda
