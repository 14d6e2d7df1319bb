// Forward: one thread for four numbers, 8 bytes an element. Backward: a block has a chunk of 4096
// numbers, 12 bytes each, and sums for dgate in double; one more block sums the chunks. Bound by
// memory.
#include "tensor/ops/kernel_fours.cuh"
#include "tensor/ops/kernel_sums.cuh"
#include "tensor/ops/tanh_gate.h"

namespace arbg::tensor::cuda {
namespace {

struct Forward {
  Span<const float> gate;
  __device__ Numbers<1> operator()(const Numbers<1>& x) const { return {tanhf(gate[0]) * x[0]}; }
};

__global__ void backward(Span<float> dx, Span<double> chunks, Span<const float> dy,
                         Span<const float> x, Span<const float> gate) {
  const float open = tanhf(gate[0]);
  const std::int64_t first = blockIdx.x * kChunk;
  double sum = 0;
  for (std::int64_t i = this_thread(); i < kChunk && first + i < x.size(); i += block_threads()) {
    // y[i] = open * x[i], and tanh' = 1 - tanh^2.
    const float d = dy[first + i], one = x[first + i];
    dx[first + i] = d * open;
    sum += static_cast<double>(d) * static_cast<double>(one);
  }
  sum = block_sum(sum);
  if (this_thread() == 0) chunks[blockIdx.x] = sum;
}

__global__ void add_to_gate(Span<float> dgate, Span<const double> chunks, Span<const float> gate) {
  const double sum = sum_of_all(chunks);
  if (this_thread() > 0) return;
  const float open = tanhf(gate[0]);
  dgate[0] += static_cast<float>(sum) * (1 - open * open);
}

}  // namespace

Tensor tanh_gate(const Tensor& x, const Tensor& gate) {
  Tensor y = empty_like(x, x.shape());
  map_each(writes(y), reads(x), Forward{numbers<float>(gate)});
  return y;
}

Tensor tanh_gate_backward(const Tensor& dy, const Tensor& x, const Tensor& gate, Tensor* dgate) {
  const std::int64_t blocks = divided_up(x.elements(), kChunk);
  Tensor dx = empty_like(x, x.shape()), chunks = Tensor::empty({blocks}, DType::f64, x.backend());
  launch(backward, {blocks, kThreads}, numbers<float>(dx), numbers<double>(chunks),
         numbers<float>(dy), numbers<float>(x), numbers<float>(gate));
  if (dgate) {
    launch(add_to_gate, {1, kThreads}, numbers<float>(*dgate),
           numbers<double>(std::as_const(chunks)), numbers<float>(gate));
  }
  return dx;
}

}  // namespace arbg::tensor::cuda
