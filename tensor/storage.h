// A block of bytes on one backend: what tensors share. Inside tensor/ only.
//
// Freed blocks wait in a pool of the thread that freed them, by size, and are handed out again to
// that thread, so a training step asks the system for nothing once it is warm. A pool keeps at most
// 1 GiB; under the address sanitizer it keeps nothing, so that every stray access is seen.
#pragma once

#include <cstddef>
#include <memory>

#include "tensor/tensor.h"

namespace arbg::tensor {

class Storage {
 public:
  // Contents unspecified, aligned to 64 bytes. Throws Error if memory runs out or the backend is
  // not built.
  static std::shared_ptr<Storage> make(std::size_t bytes, Backend backend);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::byte* bytes() { return bytes_; }
  std::size_t size() const { return size_; }

  IndexBounds bounds = IndexBounds::unknown();  // where the bytes are indices

 private:
  Storage(std::byte* bytes, std::size_t size, std::size_t capacity)
      : bytes_(bytes), size_(size), capacity_(capacity) {}
  std::byte* bytes_;
  std::size_t size_, capacity_;
};

}  // namespace arbg::tensor
