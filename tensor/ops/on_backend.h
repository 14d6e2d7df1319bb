// Which implementation of an operation runs: the one place that knows the backends of this build.
#pragma once

#include "tensor/base/error.h"
#include "tensor/tensor.h"

// The implementations of f, an operation of X.h, that this build has.
#if defined(ARBG_CUDA)
#define ARBG_BACKENDS(f) reference::f, cpu::f, cuda::f
#else
#define ARBG_BACKENDS(f) reference::f, cpu::f
#endif

namespace arbg::tensor {

// The one for this backend. Throws Error if it is not built.
template <class Function>
Function* on_backend(Backend backend, Function* reference, Function* cpu,
                     Function* cuda = nullptr) {
  switch (backend) {
    case Backend::reference:
      return reference;
    case Backend::cpu:
      return cpu;
    case Backend::cuda:
      if (cuda) return cuda;
  }
  fail("this build has no cuda backend");
}

}  // namespace arbg::tensor
