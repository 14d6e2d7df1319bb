// Where numbers live, and whose code computes with them.
//
// The reference and the cpu both compute on the host, in its memory; cuda, where it is built, has
// memory of its own. Needs no tensors.
#pragma once

#include "tensor/base/backend.h"

namespace arbg::tensor {

using arbg::Backend;
using arbg::backend_named;
using arbg::backends_built;
using arbg::name_of;

struct Device {
  Backend backend = Backend::cpu;
  int index = 0;  // among several of one kind

  bool is_host() const { return backend != Backend::cuda; }
  bool operator==(const Device&) const = default;
};

}  // namespace arbg::tensor
