// What a device offers beside its kernels: memory, ways there and back, and work that is recorded
// once and then repeated. Inside tensor/ only: all else has buffers (buffer.h) and repeated work
// (repeated.h).
//
// Everything a thread asks of a device is done in the order in which it asks, and only upload() and
// download() wait for it. Addresses are the device's own. Functions may be called by several
// threads.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "tensor/base/error.h"
#include "tensor/device/device.h"

namespace arbg::tensor {

// Work that a device keeps, with all memory that it took: run() does it again.
class Recording {
 public:
  virtual ~Recording() = default;
  virtual void run() = 0;
};

class Runtime {
 public:
  virtual ~Runtime() = default;

  // A block of at least that many bytes, contents unspecified, aligned to 64 bytes. Throws Error,
  // saying what to do, if there is no more, or no such device.
  virtual std::byte* take(std::size_t bytes) = 0;
  virtual void give_back(std::byte* block, std::size_t bytes) = 0;  // as many as were asked for

  virtual void upload(std::byte* to, std::span<const std::byte> from) = 0;
  virtual void download(const std::byte* from, std::span<std::byte> to) = 0;
  virtual void copy(std::byte* to, const std::byte* from, std::size_t bytes) = 0;  // may overlap
  virtual void zero(std::byte* at, std::size_t bytes) = 0;
  // The pattern again and again: a number of 4 or 8 bytes, of which `bytes` is a multiple.
  virtual void fill(std::byte* at, std::size_t bytes, std::span<const std::byte> pattern) = 0;

  virtual bool on_host() const = 0;  // whether the host may follow the addresses
  virtual std::string name() const = 0;
  virtual std::size_t bytes() const = 0;  // of memory in all

  // What `work` asks of the device, not done yet; null if the device keeps no recordings. `work`
  // may neither upload nor download: Error. No other thread may ask for anything meanwhile.
  virtual std::unique_ptr<Recording> record(const std::function<void()>& work) = 0;
};

// "out of memory on an H100: 3.1 GiB were asked for, and 1.2 of 79.6 GiB are left".
OutOfMemory out_of_memory(const std::string& device, std::size_t bytes, std::size_t left,
                          std::size_t all);

// fill() where the host may follow the address.
void fill_on_host(std::byte* at, std::size_t bytes, std::span<const std::byte> pattern);

Runtime& runtime_of(Device device);  // throws Error if its backend is not built
Runtime& host_runtime();
Runtime& cuda_runtime();  // of builds with CUDA; throws Error if there is no device

}  // namespace arbg::tensor
