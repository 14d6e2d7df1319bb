#include "tensor/tensor.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <sstream>
#include <type_traits>
#include <utility>

#include "tensor/base/error.h"
#include "tensor/storage.h"

namespace arbg::tensor {
namespace {

template <class T>
constexpr DType kDTypeOf = DType::f64;
template <>
constexpr DType kDTypeOf<float> = DType::f32;
template <>
constexpr DType kDTypeOf<std::int32_t> = DType::i32;
template <>
constexpr DType kDTypeOf<BFloat16> = DType::bf16;

template <class To, class From>
std::vector<To> converted(std::span<const From> from) {
  std::vector<To> to(from.size());
  std::transform(from.begin(), from.end(), to.begin(),
                 [](From value) { return static_cast<To>(value); });
  return to;
}

void check_elements(std::size_t count, const Shape& shape) {
  require(static_cast<std::int64_t>(count) == shape.elements(), "a tensor of shape ", shape,
          " holds ", shape.elements(), " numbers, ", count, " were given");
}

}  // namespace

const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return "f64";
    case DType::f32:
      return "f32";
    case DType::bf16:
      return "bf16";
    case DType::i32:
      return "i32";
  }
  return "unknown";
}

BFloat16::operator double() const {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

DType real_dtype(Backend backend) {
  return backend == Backend::reference ? DType::f64 : DType::f32;
}

std::size_t byte_size(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return 8;
    case DType::f32:
      return 4;
    case DType::bf16:
      return 2;
    case DType::i32:
      return 4;
  }
  return 0;
}

Shape::Shape(std::initializer_list<std::int64_t> extents)
    : Shape(std::span<const std::int64_t>(extents.begin(), extents.size())) {}

Shape::Shape(std::span<const std::int64_t> extents) : rank_(static_cast<int>(extents.size())) {
  require(extents.size() <= kMostAxes, "a tensor has at most ", kMostAxes, " axes, ",
          extents.size(), " were asked for");
  std::copy(extents.begin(), extents.end(), extents_.begin());
  std::int64_t elements = 1;
  for (const auto extent : extents) {
    require(extent >= 0 && !__builtin_mul_overflow(elements, extent, &elements),
            "no tensor has the shape ", *this);
  }
}

std::int64_t Shape::elements() const {
  std::int64_t elements = 1;
  for (int axis = 0; axis < rank_; ++axis) elements *= (*this)[axis];
  return elements;
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << "[";
  for (int axis = 0; axis < shape.rank(); ++axis) out << (axis ? ", " : "") << shape[axis];
  return out << "]";
}

std::string Shape::text() const {
  std::ostringstream out;
  out << *this;
  return out.str();
}

IndexBounds IndexBounds::of(std::span<const std::int32_t> values) {
  if (values.empty()) return {};
  const auto [least, largest] = std::ranges::minmax(values);
  return {least, largest};
}

IndexBounds IndexBounds::joined(const IndexBounds& other) const {
  return {std::min(least, other.least), std::max(largest, other.largest)};
}

Tensor Tensor::empty(const Shape& shape, DType dtype, Backend backend) {
  Tensor tensor;
  tensor.storage_ = std::make_shared<Storage>(
      static_cast<std::size_t>(shape.elements()) * byte_size(dtype), Device{backend});
  tensor.shape_ = shape;
  tensor.dtype_ = dtype;
  tensor.backend_ = backend;
  return tensor;
}

Tensor Tensor::zeros(const Shape& shape, DType dtype, Backend backend) {
  Tensor tensor = empty(shape, dtype, backend);
  tensor.storage_->buffer.zero();
  if (dtype == DType::i32) tensor.set_index_bounds({0, 0});
  return tensor;
}

Tensor Tensor::from_values(std::span<const double> values, const Shape& shape, Backend backend) {
  check_elements(values.size(), shape);
  Tensor tensor = empty(shape, real_dtype(backend), backend);
  tensor.write(values);
  return tensor;
}

Tensor Tensor::from_indices(std::span<const std::int32_t> values, const Shape& shape,
                            Backend backend) {
  check_elements(values.size(), shape);
  Tensor tensor = empty(shape, DType::i32, backend);
  tensor.upload(values);
  tensor.set_index_bounds(IndexBounds::of(values));
  return tensor;
}

Device Tensor::device() const {
  require(defined(), "a tensor was asked for its device that holds nothing");
  return storage_->buffer.device();
}

IndexBounds Tensor::index_bounds() const {
  require(defined() && dtype_ == DType::i32, "bounds were asked for of what are no indices");
  return storage_->bounds;
}

void Tensor::set_index_bounds(const IndexBounds& bounds) {
  require(defined() && dtype_ == DType::i32, "bounds were given to what are no indices");
  const IndexBounds own = elements() > 0 ? bounds : IndexBounds();
  const bool whole =
      static_cast<std::size_t>(elements()) * byte_size(dtype_) == storage_->buffer.size();
  storage_->bounds = whole ? own : storage_->bounds.joined(own);
}

template <class T>
void Tensor::require_holds() const {
  if (!defined()) fail("a tensor was used that holds nothing");
  if (dtype_ != kDTypeOf<T>) {
    fail("expected a tensor of ", name_of(kDTypeOf<T>), " numbers, found ", name_of(dtype_),
         " in the tensor of shape ", shape_);
  }
}

std::size_t Tensor::first_byte() const {
  return static_cast<std::size_t>(offset_) * byte_size(dtype_);
}

template <class T>
T* Tensor::host_data() {
  T* numbers = const_cast<T*>(std::as_const(*this).host_data<T>());
  if constexpr (std::is_same_v<T, std::int32_t>) storage_->bounds = IndexBounds::unknown();
  return numbers;
}

template <class T>
const T* Tensor::host_data() const {
  require_holds<T>();
  if (!storage_->buffer.on_host()) {
    fail("the numbers of the tensor of shape ", shape_, " are on the device ", name_of(backend_),
         "; read them with values() or indices()");
  }
  return reinterpret_cast<const T*>(storage_->buffer.address() + first_byte());
}

template <class T>
T* Tensor::device_data() {
  T* numbers = const_cast<T*>(std::as_const(*this).device_data<T>());
  if constexpr (std::is_same_v<T, std::int32_t>) storage_->bounds = IndexBounds::unknown();
  return numbers;
}

template <class T>
const T* Tensor::device_data() const {
  require_holds<T>();
  if (device().is_host()) {
    fail("the numbers of the tensor of shape ", shape_, " are on the host, of the backend ",
         name_of(backend_), "; a device cannot work on them");
  }
  return reinterpret_cast<const T*>(storage_->buffer.address() + first_byte());
}

template double* Tensor::host_data<double>();
template float* Tensor::host_data<float>();
template std::int32_t* Tensor::host_data<std::int32_t>();
template const double* Tensor::host_data<double>() const;
template const float* Tensor::host_data<float>() const;
template const std::int32_t* Tensor::host_data<std::int32_t>() const;
template double* Tensor::device_data<double>();
template float* Tensor::device_data<float>();
template std::int32_t* Tensor::device_data<std::int32_t>();
template BFloat16* Tensor::device_data<BFloat16>();
template const double* Tensor::device_data<double>() const;
template const float* Tensor::device_data<float>() const;
template const std::int32_t* Tensor::device_data<std::int32_t>() const;
template const BFloat16* Tensor::device_data<BFloat16>() const;

template <class T>
void Tensor::upload(std::span<const T> numbers) {
  require_holds<T>();
  storage_->buffer.upload(std::as_bytes(numbers), first_byte());
}

template <class T>
std::vector<T> Tensor::download() const {
  require_holds<T>();
  std::vector<T> numbers(static_cast<std::size_t>(elements()));
  storage_->buffer.download(first_byte(), std::as_writable_bytes(std::span(numbers)));
  return numbers;
}

Tensor Tensor::reshape(const Shape& shape) const {
  require(shape.elements() == elements(), "a tensor of shape ", shape_, " cannot be seen as ",
          shape, ": the numbers of elements differ");
  Tensor view = *this;
  view.shape_ = shape;
  return view;
}

Tensor Tensor::rows(std::int64_t first, std::int64_t count) const {
  require(shape_.rank() > 0 && first >= 0 && count >= 0 && first <= shape_[0] - count, "rows ",
          first, " to ", first + count, " are outside the first axis of the shape ", shape_);
  std::array<std::int64_t, Shape::kMostAxes> extents{count};
  std::int64_t row = 1;
  const auto rank = static_cast<std::size_t>(shape_.rank());
  for (std::size_t axis = 1; axis < rank; ++axis) {
    extents[axis] = shape_[static_cast<int>(axis)];
    row *= extents[axis];
  }
  Tensor view = *this;
  view.shape_ = Shape(std::span<const std::int64_t>(extents.data(), rank));
  view.offset_ += first * row;
  return view;
}

Tensor Tensor::whole() const {
  require(defined(), "a tensor was asked for its storage that holds nothing");
  Tensor view = *this;
  view.shape_ = {static_cast<std::int64_t>(storage_->buffer.size() / byte_size(dtype_))};
  view.offset_ = 0;
  return view;
}

Tensor Tensor::clone() const {
  if (!defined()) return {};
  Tensor copy = empty(shape_, dtype_, backend_);
  copy.copy_from(*this);
  return copy;
}

Tensor Tensor::to(Backend backend) const {
  require(defined(), "a tensor was moved to a backend that holds nothing");
  if (backend == backend_) return *this;
  Tensor copy = empty(shape_, dtype_ == DType::i32 ? DType::i32 : real_dtype(backend), backend);
  copy.copy_from(*this);
  return copy;
}

void Tensor::copy_from(const Tensor& source) {
  require(defined() && source.defined(), "a tensor was copied that holds nothing");
  require(shape_ == source.shape_, "a tensor of shape ", source.shape_,
          " cannot be copied into one of shape ", shape_);
  const bool as_it_is = dtype_ == source.dtype_ && device() == source.device();
  if (as_it_is) {
    storage_->buffer.copy_from(source.storage_->buffer, source.first_byte(), first_byte(),
                               static_cast<std::size_t>(elements()) * byte_size(dtype_));
  } else {
    write(source.values());
  }
  if (dtype_ == DType::i32) {
    set_index_bounds(source.dtype_ == DType::i32 ? source.index_bounds() : IndexBounds::unknown());
  }
}

void Tensor::fill(double value) {
  require(defined(), "a tensor was filled that holds nothing");
  const auto with = [&]<class T>(const T& number) {
    storage_->buffer.fill(first_byte(), static_cast<std::size_t>(elements()) * sizeof(T),
                          std::as_bytes(std::span(&number, 1)));
  };
  switch (dtype_) {
    case DType::f64:
      return with(value);
    case DType::f32:
      return with(static_cast<float>(value));
    case DType::i32: {
      const auto index = static_cast<std::int32_t>(value);
      with(index);
      return set_index_bounds({index, index});
    }
    case DType::bf16:
      break;
  }
  fail("a bf16 tensor cannot be filled");
}

// Converts; of indices, the caller says the bounds.
void Tensor::write(std::span<const double> values) {
  switch (dtype_) {
    case DType::f64:
      return upload(values);
    case DType::f32:
      return upload<float>(converted<float>(values));
    case DType::i32:
      return upload<std::int32_t>(converted<std::int32_t>(values));
    case DType::bf16:
      break;
  }
  fail("a bf16 tensor cannot be written on the host");
}

std::vector<double> Tensor::values() const {
  require(defined(), "a tensor was read that holds nothing");
  switch (dtype_) {
    case DType::f64:
      return download<double>();
    case DType::f32:
      return converted<double, float>(download<float>());
    case DType::i32:
      return converted<double, std::int32_t>(download<std::int32_t>());
    case DType::bf16:
      return converted<double, BFloat16>(download<BFloat16>());
  }
  fail("a tensor of unknown numbers was read");
}

std::vector<std::int32_t> Tensor::indices() const { return download<std::int32_t>(); }

double Tensor::item() const {
  require(elements() == 1, "expected a tensor of one number, found the shape ", shape_);
  return values()[0];
}

}  // namespace arbg::tensor
