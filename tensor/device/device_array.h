// Numbers, or plain structs of them, in the memory of a device: what kernels without tensors read
// and write (elements() of kernel.cuh).
//
// Throws Error if memory runs out or the backend is not built.
#pragma once

#include <span>
#include <type_traits>
#include <vector>

#include "tensor/base/error.h"
#include "tensor/device/buffer.h"

namespace arbg::tensor {

template <class T>
class DeviceArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  DeviceArray(std::size_t size, Device device) : buffer_(size * sizeof(T), device) {}
  DeviceArray(std::span<const T> values, Device device) : DeviceArray(values.size(), device) {
    set(values);
  }

  std::size_t size() const { return buffer_.size() / sizeof(T); }
  void set(std::span<const T> values) {
    require(values.size() == size(), "expected ", size(), " elements for an array of a device, ",
            "found ", values.size());
    buffer_.upload(std::as_bytes(values), 0);
  }
  std::vector<T> values() const {  // waits until they have come
    std::vector<T> copy(size());
    buffer_.download(0, std::as_writable_bytes(std::span(copy)));
    return copy;
  }

  Buffer& buffer() { return buffer_; }
  const Buffer& buffer() const { return buffer_; }

 private:
  Buffer buffer_;
};

}  // namespace arbg::tensor
