// The stream of CUDA that all work of this process goes through, in the order in which it is asked
// for.
#pragma once

#include <cuda_runtime.h>

#include "tensor/base/error.h"

namespace arbg::tensor::cuda {

cudaStream_t stream();  // throws Error if there is no device

// Throws Error if the device refused, and forgets it, lest the next launch is blamed for it.
inline void check(cudaError_t error, const char* what) {
  if (error != cudaSuccess) cudaGetLastError();
  require(error == cudaSuccess, "the CUDA device: ", what, ": ", cudaGetErrorString(error));
}

}  // namespace arbg::tensor::cuda
