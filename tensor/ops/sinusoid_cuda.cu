// One thread for two channels, the sine and the cosine of one angle, in double. Bound by
// arithmetic: a power, a sine and a cosine for 8 bytes.
#include "tensor/ops/kernel.cuh"
#include "tensor/ops/sinusoid.h"

namespace arbg::tensor::cuda {
namespace {

__global__ void sine_and_cosine(Span<float> y, Span<const std::int32_t> n, std::int64_t C) {
  const std::int64_t pairs = divided_up(C, 2), m = thread_number() / pairs,
                     c = thread_number() % pairs * 2;
  if (m >= n.size()) return;
  const std::int32_t integer = n[m];
  const double angle = integer * pow(10000.0, -static_cast<double>(c) / static_cast<double>(C));
  y[m * C + c] = static_cast<float>(sin(angle));
  if (c + 1 < C) y[m * C + c + 1] = static_cast<float>(cos(angle));
}

}  // namespace

void sinusoid(const Tensor& n, Tensor& y) {
  const std::int64_t C = y.extent(-1);
  launch(sine_and_cosine, one_thread_each(n.elements() * divided_up(C, 2)), numbers<float>(y),
         numbers<std::int32_t>(n), C);
}

}  // namespace arbg::tensor::cuda
