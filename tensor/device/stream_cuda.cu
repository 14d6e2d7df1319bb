// Apart from the runtime, whose place another device takes in some tests.
#include "tensor/device/stream_cuda.h"

namespace arbg::tensor::cuda {
namespace {

cudaStream_t make_stream() {
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  require(error == cudaSuccess && devices > 0, "there is no CUDA device here (",
          error == cudaSuccess ? "none was found" : cudaGetErrorString(error),
          "); use --backend cpu");
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
  return stream;
}

}  // namespace

cudaStream_t stream() {
  static const cudaStream_t the_only = make_stream();
  return the_only;
}

}  // namespace arbg::tensor::cuda
