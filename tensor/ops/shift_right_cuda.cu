// One thread an element. Bound by memory: 8 bytes an element.
#include "tensor/ops/kernel.cuh"
#include "tensor/ops/shift_right.h"

namespace arbg::tensor::cuda {
namespace {

__global__ void shift_each(Span<std::int32_t> y, Span<const std::int32_t> tokens, std::int64_t T,
                           std::int32_t start) {
  const std::int64_t i = thread_number();
  if (i >= y.size()) return;
  y[i] = i % T == 0 ? start : static_cast<std::int32_t>(tokens[i - 1]);
}

}  // namespace

void shift_right(const Tensor& tokens, std::int32_t start, Tensor& y) {
  launch(shift_each, one_thread_each(y.elements()), numbers<std::int32_t>(y),
         numbers<std::int32_t>(tokens), tokens.extent(-1), start);
}

}  // namespace arbg::tensor::cuda
