// What the checked entry of every operation shares: picking the backend, and saying what does not
// fit.
#pragma once

#include "tensor/base/error.h"
#include "tensor/ops/on_backend.h"
#include "tensor/tensor.h"

namespace arbg::tensor {

// The implementation for the backend that `x` lives on: on_backend(x, ARBG_BACKENDS(f))(x, ...).
template <class... Functions>
auto on_backend(const Tensor& x, Functions... implementations) {
  return on_backend(x.backend(), implementations...);
}

// Throws unless x, the argument `name` of `operation`, holds real numbers of its backend.
inline void require_real(const Tensor& x, const char* operation, const char* name) {
  require(x.defined(), operation, ": the tensor ", name, " holds nothing");
  require(x.dtype() == real_dtype(x.backend()), operation, ": ", name,
          " must hold real numbers of the backend ", name_of(x.backend()), " (",
          name_of(real_dtype(x.backend())), "), found ", name_of(x.dtype()));
}

// The same of an operand of products, which may also be bf16 on cuda.
inline void require_operand(const Tensor& x, const char* operation, const char* name) {
  if (x.defined() && x.backend() == Backend::cuda && x.dtype() == DType::bf16) return;
  require_real(x, operation, name);
}

// Throws unless x has the shape and lives where `like` does; `meaning` says the shape in letters.
inline void require_beside(const Tensor& x, const Shape& shape, const Tensor& like,
                           const char* operation, const char* name, const char* meaning) {
  require(x.backend() == like.backend(), operation, ": ", name, " is on the backend ",
          name_of(x.backend()), ", the other inputs are on ", name_of(like.backend()),
          "; move it with to()");
  require(x.shape() == shape, operation, ": expected ", name, " of shape ", shape, " (", meaning,
          "), found ", x.shape());
}
// The same of real numbers.
inline void require_fits(const Tensor& x, const Shape& shape, const Tensor& like,
                         const char* operation, const char* name, const char* meaning) {
  require_real(x, operation, name);
  require_beside(x, shape, like, operation, name, meaning);
}

// Throws unless index holds int32 numbers, has the shape, and lives where `like` does.
inline void require_index(const Tensor& index, const Tensor& like, const char* operation) {
  require(index.defined() && index.dtype() == DType::i32, operation,
          ": expected indices of type i32");
  require(index.backend() == like.backend(), operation, ": the indices are on the backend ",
          name_of(index.backend()), ", the other inputs on ", name_of(like.backend()),
          "; move them with to()");
}

// Throws unless all numbers of `index`, each a `what` of `operation`, are known to lie in first ...
// last: by their bounds. Only a message reads them, to say which one does not.
void require_inside(const Tensor& index, std::int64_t first, std::int64_t last,
                    const char* operation, const char* what = "index");

// A shape with its last or first axis replaced, the last left out, or one more behind it.
inline Shape with_extents(const Shape& shape, int kept, std::initializer_list<std::int64_t> more) {
  std::vector<std::int64_t> extents;
  for (int axis = 0; axis < kept; ++axis) extents.push_back(shape[axis]);
  extents.insert(extents.end(), more);
  return Shape(std::span<const std::int64_t>(extents));
}
inline Shape with_last(const Shape& shape, std::int64_t last) {
  return with_extents(shape, shape.rank() - 1, {last});
}
inline Shape without_last(const Shape& shape) { return with_extents(shape, shape.rank() - 1, {}); }
inline Shape with_first(const Shape& shape, std::int64_t first) {
  std::vector<std::int64_t> extents{first};
  for (int axis = 1; axis < shape.rank(); ++axis) extents.push_back(shape[axis]);
  return Shape(std::span<const std::int64_t>(extents));
}
inline Shape with_extra_axis(const Shape& shape, std::int64_t last) {
  return with_extents(shape, shape.rank(), {last});
}

// The number of rows when all leading axes are flattened: M of [..., C].
inline std::int64_t row_count(const Shape& shape) { return without_last(shape).elements(); }

// How many numbers there are in a row of [M, ...].
inline std::int64_t row_size(const Shape& shape) { return with_first(shape, 1).elements(); }

// A fresh tensor beside `like`: same number type and backend, its contents unspecified.
inline Tensor empty_like(const Tensor& like, const Shape& shape) {
  return Tensor::empty(shape, like.dtype(), like.backend());
}

}  // namespace arbg::tensor
