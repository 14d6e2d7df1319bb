// What X_cuda.cu are written in: views of memory, shared arrays, asynchronous copies, the launch.
//
// nvcc compiles them for a device; a host compiler compiles the same files for the emulator of the
// tests (tests/emulator), which checks every access. So kernels stay within these words: Span for
// global memory, Shared for a block's, one dimension of threads in whole warps, no atomics.
// A Span<const T> is of what its kernel does not write. Kernels on tensors include
// tensor/ops/kernel.cuh.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "tensor/base/error.h"
#include "tensor/device/device_array.h"

#if defined(__CUDACC__)
#include "tensor/device/stream_cuda.h"
// Before a loop over an array that is to stay in registers.
#define ARBG_UNROLL _Pragma("unroll")
#else
#include <words.h>  // of tests/emulator
#define ARBG_UNROLL
#endif

namespace arbg::tensor::cuda {

// A fixed number of numbers, or of views of memory.
template <class T, int N>
struct Several {
  T of[N];
  __host__ __device__ T& operator[](int i) { return of[i]; }
  __host__ __device__ const T& operator[](int i) const { return of[i]; }
};
template <class T>
using Four = Several<T, 4>;
constexpr std::size_t kFourBytes = 16;
template <class T>
using Two = Several<T, 2>;
constexpr std::size_t kTwoBytes = 8;

constexpr std::size_t kSharedBytes = 48 << 10;  // what a block has without asking for more
constexpr std::size_t kMostShared = 160 << 10;  // and with

// What a launch asks for to get so many bytes of shared memory beside those that its kernel
// declares: nearly all that a block has without asking is not enough.
inline std::size_t asked_for(std::size_t bytes, std::size_t declared) {
  const bool nearly = bytes <= kSharedBytes && bytes + declared > kSharedBytes;
  return nearly ? kSharedBytes + declared : bytes;
}

}  // namespace arbg::tensor::cuda

#if defined(__CUDACC__)

namespace arbg::tensor::cuda {

template <class T>
class Span {
 public:
  __host__ __device__ Span(T* data, std::int64_t size) : data_(data), size_(size) {}
  __device__ T& operator[](std::int64_t at) const { return data_[at]; }
  __host__ __device__ std::int64_t size() const { return size_; }
  bool begins_at(std::size_t multiple) const {  // of bytes
    return reinterpret_cast<std::uintptr_t>(data_) % multiple == 0;
  }
  __host__ __device__ Span operator+(std::int64_t elements) const {  // without the first ones
    return {data_ + elements, size_ - elements};
  }

 private:
  T* data_;
  std::int64_t size_;
};

// A view of global memory that stands in one struct with Shared arrays. nvcc 13.0 takes every
// pointer of such a struct for one to shared memory, and writes elsewhere; a number it does not.
template <class T>
class SpanBesideShared {
 public:
  __device__ explicit SpanBesideShared(const Span<T>& span) : SpanBesideShared(&span[0]) {}
  __device__ T& operator[](std::int64_t at) const { return reinterpret_cast<T*>(address_)[at]; }
  __device__ SpanBesideShared operator+(std::int64_t elements) const {
    return SpanBesideShared(reinterpret_cast<T*>(address_) + elements);
  }

 private:
  __device__ explicit SpanBesideShared(T* data)
      : address_(reinterpret_cast<std::uintptr_t>(data)) {}
  std::uintptr_t address_;
};

// An array in shared memory: ARBG_SHARED(float, name, 32), or what the launch asks for.
template <class T>
using Shared = T*;
#define ARBG_SHARED(T, name, count) __shared__ T name[count]
#define ARBG_DYNAMIC_SHARED(T, name) extern __shared__ __align__(16) T name[]

// A copy from global to shared memory that does not wait: nobody may touch *to until its thread has
// waited for the group that it was committed in, and others until a barrier after that.
__device__ inline void copy_async(float* to, const float* from) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(to));
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(address), "l"(from) : "memory");
}
// The same for four neighbours; the first begins at a multiple of 16 bytes, here and there.
template <class T>
__device__ void copy_four_async(float* to, std::int64_t at, const Span<T>& from,
                                std::int64_t from_at) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(to + at));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(address), "l"(&from[from_at])
               : "memory");
}
__device__ inline void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Until at most the last `groups` of this thread's groups are under way.
template <int groups>
__device__ inline void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(groups) : "memory");
}

// Four neighbours in one access; the first begins at a multiple of 16 bytes.
template <class T>
__device__ Four<std::remove_const_t<T>> load_four(const Span<T>& from, std::int64_t at) {
  static_assert(sizeof(Four<T>) == kFourBytes);
  const uint4 bytes = *reinterpret_cast<const uint4*>(&from[at]);
  Four<std::remove_const_t<T>> four;
  memcpy(&four, &bytes, kFourBytes);
  return four;
}
template <class T>
__device__ void store_four(const Span<T>& to, std::int64_t at, const Four<T>& four) {
  static_assert(sizeof(Four<T>) == kFourBytes);
  uint4 bytes;
  memcpy(&bytes, &four, kFourBytes);
  *reinterpret_cast<uint4*>(&to[at]) = bytes;
}
// The same from shared memory.
template <class T>
__device__ Four<T> load_four(const T* from, std::int64_t at) {
  static_assert(sizeof(Four<T>) == kFourBytes);
  const uint4 bytes = *reinterpret_cast<const uint4*>(from + at);
  Four<T> four;
  memcpy(&four, &bytes, kFourBytes);
  return four;
}

// Two neighbours likewise; the first begins at a multiple of 8 bytes.
template <class T>
__device__ Two<std::remove_const_t<T>> load_two(const Span<T>& from, std::int64_t at) {
  static_assert(sizeof(Two<T>) == kTwoBytes);
  const uint2 bytes = *reinterpret_cast<const uint2*>(&from[at]);
  Two<std::remove_const_t<T>> two;
  memcpy(&two, &bytes, kTwoBytes);
  return two;
}
template <class To, class T>
__device__ void store_two(const To& to, std::int64_t at, const Two<T>& two) {
  static_assert(sizeof(Two<T>) == kTwoBytes);
  uint2 bytes;
  memcpy(&bytes, &two, kTwoBytes);
  *reinterpret_cast<uint2*>(&to[at]) = bytes;
}

// 2^x in one instruction, within two units of the last place; 0 below 2^-126.
__device__ inline float exp2_of(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

struct Launch {
  std::int64_t blocks, threads;
  std::size_t shared_bytes = 0;
};
// Throws Error if the device refuses. What goes wrong later is known where its results are read.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const Launch& shape, const Arguments&... arguments) {
  if (shape.blocks == 0) return;
  require(shape.blocks <= std::numeric_limits<std::int32_t>::max(), "a kernel of ", shape.blocks,
          " blocks is more than a device takes at once; use a smaller batch");
  if (shape.shared_bytes > kSharedBytes) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shape.shared_bytes)),
          "a block does not get the shared memory that it needs");
  }
  kernel<<<static_cast<unsigned>(shape.blocks), static_cast<unsigned>(shape.threads),
           shape.shared_bytes, stream()>>>(arguments...);
  check(cudaGetLastError(), "a kernel was not launched");
}

}  // namespace arbg::tensor::cuda

#else

#define ARBG_SHARED(T, name, count)                                    \
  const ::arbg::emulator::Span<T> name(::arbg::emulator::shared_array( \
      static_cast<std::size_t>(count), sizeof(T), {__FILE__, __LINE__}))
#define ARBG_DYNAMIC_SHARED(T, name) ARBG_SHARED(T, name, ::arbg::emulator::kDynamic)

namespace arbg::tensor::cuda {

using emulator::commit_copies;
using emulator::Launch;
using emulator::Span;
template <class T>
using SpanBesideShared = emulator::Span<T>;
template <class T>
using Shared = emulator::Span<T>;

template <class To, class From>
void copy_async(const emulator::Place<To>& to, const emulator::Place<From>& from) {
  to.copy_from(from);
}
template <class T>
void copy_four_async(const Shared<float>& to, const emulator::Index& at, const Span<T>& from,
                     const emulator::Index& from_at) {
  to.require_aligned(at, kFourBytes);
  from.require_aligned(from_at, kFourBytes);
  for (int i = 0; i < 4; ++i) copy_async(to[at.next(i)], from[from_at.next(i)]);
}
template <int groups>
void wait_copies(ARBG_HERE) {
  emulator::wait_copies(groups, {file, line});
}

template <class T>
Four<std::remove_const_t<T>> load_four(const Span<T>& from, const emulator::Index& at) {
  from.require_aligned(at, kFourBytes);
  return {from[at], from[at.next(1)], from[at.next(2)], from[at.next(3)]};
}
template <class T>
void store_four(const Span<T>& to, const emulator::Index& at, const Four<T>& four) {
  to.require_aligned(at, kFourBytes);
  for (int i = 0; i < 4; ++i) to[at.next(i)] = four[i];
}

template <class T>
Two<std::remove_const_t<T>> load_two(const Span<T>& from, const emulator::Index& at) {
  from.require_aligned(at, kTwoBytes);
  return {from[at], from[at.next(1)]};
}
template <class T>
void store_two(const Span<T>& to, const emulator::Index& at, const Two<T>& two) {
  to.require_aligned(at, kTwoBytes);
  for (int i = 0; i < 2; ++i) to[at.next(i)] = two[i];
}

inline float exp2_of(float x) { return exp2f(x); }

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const Launch& shape, const Arguments&... arguments) {
  if (shape.blocks > 0) emulator::ask(shape, [=] { kernel(arguments...); });
}

}  // namespace arbg::tensor::cuda

#endif

namespace arbg::tensor::cuda {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffU;

// All elements of an array of this device.
template <class T>
Span<const T> elements(const DeviceArray<T>& x) {
  return {reinterpret_cast<const T*>(x.buffer().address()), static_cast<std::int64_t>(x.size())};
}
template <class T>
Span<T> elements(DeviceArray<T>& x) {
  return {reinterpret_cast<T*>(x.buffer().address()), static_cast<std::int64_t>(x.size())};
}

__host__ __device__ inline std::int64_t divided_up(std::int64_t n, std::int64_t d) {
  return (n + d - 1) / d;
}

// For kernels with one thread an element.
constexpr std::int64_t kThreads = 256;
inline Launch one_thread_each(std::int64_t elements) {
  return {divided_up(elements, kThreads), kThreads};
}

// For kernels with one warp an element, or a row.
inline Launch one_warp_each(std::int64_t elements) {
  return {divided_up(elements, kThreads / kWarp), kThreads};
}

// How many threads a block has; this thread's number in it and in its warp, and its warp's.
__device__ inline int block_threads() { return static_cast<int>(blockDim.x); }
__device__ inline int this_thread() { return static_cast<int>(threadIdx.x); }
__device__ inline int this_lane() { return this_thread() % kWarp; }
__device__ inline int this_warp() { return this_thread() / kWarp; }

// The number of this thread among all of the launch.
__device__ inline std::int64_t thread_number() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

// The same of all warps.
__device__ inline std::int64_t warp_number() { return thread_number() / kWarp; }

// The sum over the lanes of a warp, the same bits in each of them.
template <class T>
__device__ T warp_sum(T value) {
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
    value += __shfl_xor_sync(kAllLanes, value, lanes);
  }
  return value;
}

}  // namespace arbg::tensor::cuda
