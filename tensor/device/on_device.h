// Where numbers lie in the memory of a device, for code that hands them on to kernels: only
// X_cuda.cu may follow the address.
#pragma once

#include <cstdint>

#include "tensor/device/device_array.h"

namespace arbg::tensor {

template <class T>
struct OnDevice {
  T* address = nullptr;
  std::int64_t size = 0;
};

// All elements of an array.
template <class T>
OnDevice<T> on_device(DeviceArray<T>& x) {
  return {reinterpret_cast<T*>(x.buffer().address()), static_cast<std::int64_t>(x.size())};
}
template <class T>
OnDevice<const T> on_device(const DeviceArray<T>& x) {
  return {reinterpret_cast<const T*>(x.buffer().address()), static_cast<std::int64_t>(x.size())};
}

}  // namespace arbg::tensor
