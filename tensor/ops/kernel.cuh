// What X_cuda.cu of operations are written in: the words of tensor/device/kernel.cuh, and views of
// the numbers of tensors.
#pragma once

#include "tensor/device/kernel.cuh"
#include "tensor/tensor.h"

namespace arbg::tensor::cuda {

// The numbers of a tensor of this backend.
template <class T>
Span<const T> numbers(const Tensor& x) {
  return {x.device_data<T>(), x.elements()};
}
template <class T>
Span<T> numbers(Tensor& x) {
  return {x.device_data<T>(), x.elements()};
}

}  // namespace arbg::tensor::cuda
