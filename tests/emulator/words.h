// The words of CUDA that kernels are written in, for a host compiler: what tensor/device/kernel.cuh
// includes where nvcc does not read it.
//
// Grids and blocks have one dimension. There are no atomics: sums of this project have a fixed
// order. Elements of memory are stand-ins that report each read and write, with its file and line.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "machine.h"

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(threads)

// They name the line that they are called from, as default arguments do.
#define ARBG_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

namespace arbg::emulator {

struct Position {
  unsigned x = 0;
};

// A number that picks an element, and where it is written.
struct Index {
  template <std::integral I>
  Index(I number, ARBG_HERE) : value(static_cast<std::int64_t>(number)), where{file, line} {}
  Index next(std::int64_t further) const { return {value + further, where.file, where.line}; }
  std::int64_t value;
  Where where;
};

// One element of memory: reads where it is used as a T, writes where it is assigned to. Its address
// is itself.
template <class T>
class Place {
 public:
  using Value = std::remove_const_t<T>;
  Place(T* address, Memory* memory, std::size_t element, const Where& where)
      : address_(address), memory_(memory), element_(element), where_(where) {}
  Place(const Place&) = default;

  operator Value() const {  // NOLINT: it is one
    memory_->read(element_, where_);
    return *address_;
  }
  const Place& operator=(Value value) const {
    memory_->write(element_, where_);
    *address_ = value;
    return *this;
  }
  const Place& operator=(const Place& other) const { return *this = static_cast<Value>(other); }
  const Place& operator+=(Value value) const { return *this = static_cast<Value>(*this) + value; }
  const Place& operator-=(Value value) const { return *this = static_cast<Value>(*this) - value; }
  const Place& operator*=(Value value) const { return *this = static_cast<Value>(*this) * value; }
  const Place& operator&() const { return *this; }

  template <class Source>
  void copy_from(const Place<Source>& from) const {
    start_copy({address_, from.checked(), sizeof(T), memory_, element_}, where_);
  }
  const T* checked() const {
    memory_->read(element_, where_);
    return address_;
  }

 private:
  T* address_;
  Memory* memory_;
  std::size_t element_;
  Where where_;
};

// Numbers in the memory of the device, or in that of a block.
template <class T>
class Span {
 public:
  Span() = default;
  Span(T* data, std::int64_t size) : data_(data), size_(size) {
    if (reinterpret_cast<std::uintptr_t>(data) % alignof(T) != 0)
      throw Fault("a kernel is given an address that does not fit to the size of its elements");
    if (size > 0) part_ = memory_of(data, static_cast<std::size_t>(size) * sizeof(T), sizeof(T));
  }
  explicit Span(const SharedArray& array)
      : data_(static_cast<T*>(array.data)),
        size_(static_cast<std::int64_t>(array.count)),
        part_{array.memory, 0} {}

  std::int64_t size() const { return size_; }
  Place<T> operator[](const Index& at) const {
    if (at.value < 0 || at.value >= size_) {
      fault(at.where, "element ", at.value, " is outside of an array of ", size_);
    }
    return {data_ + at.value, part_.memory, part_.first + static_cast<std::size_t>(at.value),
            at.where};
  }
  bool begins_at(std::size_t multiple) const {  // of bytes
    return reinterpret_cast<std::uintptr_t>(data_) % multiple == 0;
  }
  void require_aligned(const Index& at, std::size_t bytes) const {
    const std::size_t behind = reinterpret_cast<std::uintptr_t>(data_ + at.value) % bytes;
    if (behind == 0) return;
    fault(at.where, "an access of ", bytes, " bytes begins ", behind, " bytes behind a multiple");
  }
  Span operator+(std::int64_t elements) const {  // without the first ones
    Span rest = *this;
    rest.data_ += elements;
    rest.size_ -= elements;
    rest.part_.first += static_cast<std::size_t>(elements);
    return rest;
  }

 private:
  T* data_ = nullptr;
  std::int64_t size_ = 0;
  Part part_;
};

template <class T>
T exchanged(const char* operation, unsigned mask, T value, unsigned source, const Where& where) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, &value, sizeof(T));
  bytes = exchange(operation, mask, bytes, source, where);
  std::memcpy(&value, &bytes, sizeof(T));
  return value;
}

}  // namespace arbg::emulator

inline arbg::emulator::Position threadIdx, blockIdx, blockDim, gridDim;

inline void __syncthreads(ARBG_HERE) { arbg::emulator::barrier({file, line}); }
inline void __syncwarp(unsigned mask = ~0U, ARBG_HERE) {
  arbg::emulator::exchange("__syncwarp", mask, 0, arbg::emulator::lane(), {file, line});
}
inline unsigned __ballot_sync(unsigned mask, bool value, ARBG_HERE) {
  return static_cast<unsigned>(arbg::emulator::exchange("__ballot_sync", mask, value ? 1 : 0,
                                                        arbg::emulator::kBallot, {file, line}));
}
template <class T>
T __shfl_sync(unsigned mask, T value, int source, ARBG_HERE) {
  return arbg::emulator::exchanged("__shfl_sync", mask, value, static_cast<unsigned>(source) % 32,
                                   {file, line});
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, ARBG_HERE) {
  const unsigned source = (arbg::emulator::lane() ^ static_cast<unsigned>(lanes)) % 32;
  return arbg::emulator::exchanged("__shfl_xor_sync", mask, value, source, {file, line});
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned lanes, ARBG_HERE) {
  const unsigned own = arbg::emulator::lane(), source = own + lanes < 32 ? own + lanes : own;
  return arbg::emulator::exchanged("__shfl_down_sync", mask, value, source, {file, line});
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned lanes, ARBG_HERE) {
  const unsigned own = arbg::emulator::lane(), source = own >= lanes ? own - lanes : own;
  return arbg::emulator::exchanged("__shfl_up_sync", mask, value, source, {file, line});
}
inline float rsqrtf(float x) { return 1 / std::sqrt(x); }
inline double rsqrt(double x) { return 1 / std::sqrt(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __expf(float x) { return std::exp(x); }
inline void sincospif(float x, float* sine, float* cosine) {
  constexpr double kPi = 3.14159265358979323846;
  *sine = static_cast<float>(std::sin(kPi * static_cast<double>(x)));
  *cosine = static_cast<float>(std::cos(kPi * static_cast<double>(x)));
}
inline int __ffs(int bits) { return __builtin_ffs(bits); }
inline int __clz(int bits) { return bits == 0 ? 32 : __builtin_clz(static_cast<unsigned>(bits)); }
template <class T>
T __ldg(const arbg::emulator::Place<const T>& place) {
  return place;
}
