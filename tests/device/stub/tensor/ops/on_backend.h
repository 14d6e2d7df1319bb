// Found before the header of that name: the stub runs the cpu's implementations, as its kernels.
#pragma once

#include <optional>
#include <utility>

#include "tensor/tensor.h"
#include "tests/device/stub_device.h"

#define ARBG_BACKENDS(f) reference::f, cpu::f

namespace arbg::tensor {

template <class Result, class... Arguments>
auto on_backend(Backend backend, Result (*reference)(Arguments...), Result (*cpu)(Arguments...)) {
  return [=](Arguments... arguments) -> Result {
    std::optional<StubKernel> kernel;
    if (backend == kStub) kernel.emplace();
    return (backend == Backend::reference ? reference : cpu)(std::forward<Arguments>(arguments)...);
  };
}

}  // namespace arbg::tensor
