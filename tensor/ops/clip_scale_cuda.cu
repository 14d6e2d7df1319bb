// One thread of one warp: bound by the launch.
#include <cmath>

#include "tensor/ops/clip_scale.h"
#include "tensor/ops/kernel.cuh"

namespace arbg::tensor::cuda {
namespace {

__global__ void scale_of(Span<double> scale, Span<const double> squares, double largest) {
  if (this_thread() > 0) return;
  const double norm = sqrt(squares[0]);
  scale[0] = std::isfinite(norm) ? fmin(1.0, largest / (norm + kClipEpsilon)) : NAN;
}

}  // namespace

void clip_scale(const Tensor& squares, double largest, Tensor& scale) {
  launch(scale_of, {1, kWarp}, numbers<double>(scale), numbers<double>(squares), largest);
}

}  // namespace arbg::tensor::cuda
