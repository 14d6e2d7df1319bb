#include "tensor/tensor.h"

#include <algorithm>
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

template <class From, class To>
void convert(const From* from, To* to, std::int64_t count) {
  std::transform(from, from + count, to, [](From value) { return static_cast<To>(value); });
}

template <class To>
void convert_to(const Tensor& source, To* to) {
  const std::int64_t count = source.elements();
  switch (source.dtype()) {
    case DType::f64:
      return convert(source.data<double>(), to, count);
    case DType::f32:
      return convert(source.data<float>(), to, count);
    case DType::i32:
      return convert(source.data<std::int32_t>(), to, count);
    case DType::bf16:
      break;
  }
  fail("a bf16 tensor cannot be read on the host");
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
  tensor.storage_ =
      Storage::make(static_cast<std::size_t>(shape.elements()) * byte_size(dtype), backend);
  tensor.shape_ = shape;
  tensor.dtype_ = dtype;
  tensor.backend_ = backend;
  return tensor;
}

Tensor Tensor::zeros(const Shape& shape, DType dtype, Backend backend) {
  Tensor tensor = empty(shape, dtype, backend);
  std::memset(tensor.storage_->bytes(), 0,
              static_cast<std::size_t>(shape.elements()) * byte_size(dtype));
  if (dtype == DType::i32) tensor.set_index_bounds({0, 0});
  return tensor;
}

Tensor Tensor::from_values(std::span<const double> values, const Shape& shape, Backend backend) {
  check_elements(values.size(), shape);
  Tensor tensor = empty(shape, real_dtype(backend), backend);
  const auto count = shape.elements();
  if (tensor.dtype_ == DType::f64) convert(values.data(), tensor.data<double>(), count);
  if (tensor.dtype_ == DType::f32) convert(values.data(), tensor.data<float>(), count);
  return tensor;
}

Tensor Tensor::from_indices(std::span<const std::int32_t> values, const Shape& shape,
                            Backend backend) {
  check_elements(values.size(), shape);
  Tensor tensor = empty(shape, DType::i32, backend);
  convert(values.data(), tensor.writable<std::int32_t>(), shape.elements());
  tensor.set_index_bounds(IndexBounds::of(values));
  return tensor;
}

IndexBounds Tensor::index_bounds() const {
  require(defined() && dtype_ == DType::i32, "bounds were asked for of what are no indices");
  return storage_->bounds;
}

void Tensor::set_index_bounds(const IndexBounds& bounds) {
  require(defined() && dtype_ == DType::i32, "bounds were given to what are no indices");
  const IndexBounds own = elements() > 0 ? bounds : IndexBounds();
  const bool whole = static_cast<std::size_t>(elements()) * byte_size(dtype_) == storage_->size();
  storage_->bounds = whole ? own : storage_->bounds.joined(own);
}

template <class T>
T* Tensor::data() {
  T* numbers = writable<T>();
  if constexpr (std::is_same_v<T, std::int32_t>) storage_->bounds = IndexBounds::unknown();
  return numbers;
}

template <class T>
T* Tensor::writable() {
  return const_cast<T*>(std::as_const(*this).data<T>());
}

template <class T>
const T* Tensor::data() const {
  if (!defined()) fail("a tensor was used that holds nothing");
  if (dtype_ != kDTypeOf<T>) {
    fail("expected a tensor of ", name_of(kDTypeOf<T>), " numbers, found ", name_of(dtype_),
         " in the tensor of shape ", shape_);
  }
  return reinterpret_cast<const T*>(storage_->bytes()) + offset_;
}

template double* Tensor::data<double>();
template float* Tensor::data<float>();
template std::int32_t* Tensor::data<std::int32_t>();
template const double* Tensor::data<double>() const;
template const float* Tensor::data<float>() const;
template const std::int32_t* Tensor::data<std::int32_t>() const;

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
  switch (dtype_) {
    case DType::f64:
      return convert_to(source, data<double>());
    case DType::f32:
      return convert_to(source, data<float>());
    case DType::i32:
      convert_to(source, writable<std::int32_t>());
      return set_index_bounds(source.dtype_ == DType::i32 ? source.index_bounds()
                                                          : IndexBounds::unknown());
    case DType::bf16:
      break;
  }
  fail("a bf16 tensor cannot be written on the host");
}

void Tensor::fill(double value) {
  const auto count = elements();
  switch (dtype_) {
    case DType::f64:
      std::fill_n(data<double>(), count, value);
      return;
    case DType::f32:
      std::fill_n(data<float>(), count, static_cast<float>(value));
      return;
    case DType::i32:
      std::fill_n(writable<std::int32_t>(), count, static_cast<std::int32_t>(value));
      set_index_bounds({static_cast<std::int32_t>(value), static_cast<std::int32_t>(value)});
      return;
    case DType::bf16:
      break;
  }
  fail("a bf16 tensor cannot be written on the host");
}

std::vector<double> Tensor::values() const {
  require(defined(), "a tensor was read that holds nothing");
  std::vector<double> values(static_cast<std::size_t>(elements()));
  convert_to(*this, values.data());
  return values;
}

std::vector<std::int32_t> Tensor::indices() const {
  const auto* from = data<std::int32_t>();
  return {from, from + elements()};
}

double Tensor::item() const {
  require(elements() == 1, "expected a tensor of one number, found the shape ", shape_);
  return values()[0];
}

}  // namespace arbg::tensor
