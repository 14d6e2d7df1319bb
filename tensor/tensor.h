// A dense block of numbers on a device: contiguous, row-major, last axis fastest, cheap to copy
// (shared storage).
//
// Which backend a tensor lives on decides which implementation of an operation runs and how its
// real numbers are stored: reference = double, cpu = float32 (cuda, when built: float32 or bf16).
// Indices are int32 everywhere. Their memory is a buffer's (device/buffer.h).
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tensor/device/device.h"

namespace arbg::tensor {

enum class DType { f64, f32, bf16, i32 };

struct BFloat16 {
  std::uint16_t bits;  // the upper half of a float32
  explicit operator double() const;
};

const char* name_of(DType dtype);
DType real_dtype(Backend backend);  // f64 for reference, f32 for cpu and cuda
std::size_t byte_size(DType dtype);

class Shape {
 public:
  static constexpr int kMostAxes = 4;
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> extents);
  explicit Shape(std::span<const std::int64_t> extents);

  int rank() const { return rank_; }
  std::int64_t operator[](int axis) const {
    return extents_[static_cast<std::size_t>(axis < 0 ? axis + rank_ : axis)];
  }
  std::int64_t elements() const;  // 1 for rank 0
  std::string text() const;       // "[3, 15, 64]"; for messages, which are made on failure only, <<
  friend std::ostream& operator<<(std::ostream& out, const Shape& shape);
  bool operator==(const Shape& other) const = default;

 private:
  std::array<std::int64_t, kMostAxes> extents_{};
  int rank_ = 0;
};

// Between what the numbers of an index tensor lie. By default: those of no numbers at all.
struct IndexBounds {
  static constexpr std::int32_t kLowest = std::numeric_limits<std::int32_t>::min(),
                                kHighest = std::numeric_limits<std::int32_t>::max();
  std::int32_t least = kHighest, largest = kLowest;

  static IndexBounds of(std::span<const std::int32_t> values);
  static IndexBounds unknown() { return {kLowest, kHighest}; }
  IndexBounds joined(const IndexBounds& other) const;
  bool inside(std::int64_t first, std::int64_t last) const {
    return least > largest || (least >= first && largest <= last);
  }
  bool operator==(const IndexBounds&) const = default;
};

struct Storage;  // a buffer, freed when the last tensor lets go

class Tensor {
 public:
  Tensor() = default;  // undefined: holds nothing

  static Tensor empty(const Shape& shape, DType dtype, Backend backend);  // contents unspecified
  static Tensor zeros(const Shape& shape, DType dtype, Backend backend);
  static Tensor from_values(std::span<const double> values, const Shape& shape,
                            Backend backend);  // real_dtype
  static Tensor from_indices(std::span<const std::int32_t> values, const Shape& shape,
                             Backend backend);

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  std::int64_t extent(int axis) const { return shape_[axis]; }
  std::int64_t elements() const { return shape_.elements(); }
  DType dtype() const { return dtype_; }
  Backend backend() const { return backend_; }

  Device device() const;  // throws Error if undefined

  // i32 only: known since the numbers were written, so that checks never read them. Views share
  // the bounds of the whole, which may be wider than their own numbers need. Whoever takes the
  // numbers to write leaves them unknown, and says afterwards what it has written (a view: joined).
  IndexBounds index_bounds() const;
  void set_index_bounds(const IndexBounds& bounds);

  // The numbers themselves, in the host's memory. Throws Error unless T matches dtype and the
  // device is the host.
  template <class T>
  T* host_data();
  template <class T>
  const T* host_data() const;

  // The same where they are, for the X_cuda.cu that work on it; BFloat16 here only. Throws Error on
  // the host.
  template <class T>
  T* device_data();
  template <class T>
  const T* device_data() const;

  Tensor reshape(const Shape& shape) const;  // same storage, same number of elements
  Tensor rows(std::int64_t first,
              std::int64_t count) const;  // same storage, part of the first axis
  // All numbers of the storage, flat; where its own begin there; whether another's lie there too.
  Tensor whole() const;
  std::int64_t first_number() const { return offset_; }
  bool shares_storage_with(const Tensor& other) const { return storage_ == other.storage_; }
  Tensor clone() const;                  // own storage
  Tensor to(Backend backend) const;      // converts real numbers to real_dtype(backend)
  void copy_from(const Tensor& source);  // same shape; converts dtype and backend
  void fill(double value);
  std::vector<double> values() const;         // to the host, as double
  std::vector<std::int32_t> indices() const;  // i32 only
  double item() const;                        // the only element

 private:
  template <class T>
  void require_holds() const;
  std::size_t first_byte() const;
  template <class T>
  void upload(std::span<const T> numbers);  // all of them
  template <class T>
  std::vector<T> download() const;
  void write(std::span<const double> values);

  std::shared_ptr<Storage> storage_;
  std::int64_t offset_ = 0;  // in elements
  Shape shape_;
  DType dtype_ = DType::f32;
  Backend backend_ = Backend::cpu;
};

}  // namespace arbg::tensor
