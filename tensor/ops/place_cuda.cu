// advance: one thread. put_row: one thread an element, 8 to 16 bytes each; bound by memory, and at
// the size of a batch by the launch.
#include "tensor/ops/kernel.cuh"
#include "tensor/ops/place.h"

namespace arbg::tensor::cuda {
namespace {

__global__ void add_one(Span<std::int32_t> place) {
  if (thread_number() == 0) place[0] += 1;
}

template <class T>
__global__ void put(Span<T> y, Span<const std::int32_t> place, Span<const T> x) {
  const std::int64_t i = thread_number();
  if (i < x.size()) y[place[0] * x.size() + i] = x[i];
}

template <class T>
void launch_put(Tensor& y, const Tensor& place, const Tensor& x) {
  launch(put<T>, one_thread_each(x.elements()), numbers<T>(y), numbers<std::int32_t>(place),
         numbers<T>(x));
}

}  // namespace

void advance(Tensor& place) { launch(add_one, {1, kWarp}, numbers<std::int32_t>(place)); }

void put_row(Tensor& y, const Tensor& place, const Tensor& x) {
  if (y.dtype() == DType::f64) return launch_put<double>(y, place, x);
  if (y.dtype() == DType::f32) return launch_put<float>(y, place, x);
  launch_put<std::int32_t>(y, place, x);
}

}  // namespace arbg::tensor::cuda
