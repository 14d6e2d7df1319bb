// What tensors share: a buffer, and what is known of the indices in it. Inside tensor/ only.
#pragma once

#include "tensor/device/buffer.h"
#include "tensor/tensor.h"

namespace arbg::tensor {

struct Storage {
  Storage(std::size_t bytes, Device device) : buffer(bytes, device) {}

  Buffer buffer;
  IndexBounds bounds = IndexBounds::unknown();
};

}  // namespace arbg::tensor
