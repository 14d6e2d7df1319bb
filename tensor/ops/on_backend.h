// Which implementation of an operation runs: the one place that knows the backends of this build.
#pragma once

#include "tensor/base/error.h"
#include "tensor/tensor.h"

namespace arbg::tensor {

// The one for this backend. Throws Error if it is not built.
template <class Function>
Function* on_backend(Backend backend, Function* reference, Function* cpu) {
  switch (backend) {
    case Backend::reference:
      return reference;
    case Backend::cpu:
      return cpu;
    case Backend::cuda:
      break;
  }
  fail("this build has no cuda backend");
}

}  // namespace arbg::tensor
