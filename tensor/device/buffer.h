// A block of bytes on one device. Beside runtime.h the only code that knows where memory is.
//
// Offsets and sizes are in bytes. Blocks may be freed on another thread than the one that made
// them. Throws Error if a range is not inside, memory runs out or the backend is not built.
#pragma once

#include <cstddef>
#include <span>

#include "tensor/device/device.h"

namespace arbg::tensor {

class Runtime;

class Buffer {
 public:
  // Contents unspecified, aligned to 64 bytes.
  Buffer(std::size_t bytes, Device device);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  std::size_t size() const { return size_; }
  Device device() const { return device_; }

  void upload(std::span<const std::byte> from, std::size_t at);
  void download(std::size_t at, std::span<std::byte> to) const;  // waits until it has come
  void copy_from(const Buffer& source, std::size_t source_at, std::size_t at, std::size_t bytes);
  void zero();
  void fill(std::size_t at, std::size_t bytes, std::span<const std::byte> pattern);  // runtime.h

  // In the memory of the device: only its own code may follow it, the host's where on_host().
  std::byte* address() const { return address_; }
  bool on_host() const;

 private:
  void check_range(std::size_t at, std::size_t bytes) const;

  Device device_;
  Runtime& runtime_;
  std::size_t size_;
  std::byte* address_;
};

}  // namespace arbg::tensor
