#include "tensor/ops/place.h"

#include <array>

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor make_place(std::int32_t at, Backend backend) {
  return Tensor::from_indices(std::array{at}, {1}, backend);
}

void require_place(const Tensor& place, std::int64_t T, const Tensor& like, const char* operation) {
  require_index(place, like, operation);
  require(place.shape() == Shape{1}, operation, ": expected a place [1], found ", place.shape());
  const auto bounds = place.index_bounds();
  require(bounds.inside(0, T - 1), operation, ": there are ", T, " places, and place ",
          bounds.largest, " was asked for");
}

void advance(Tensor& place) {
  require_place(place, kAnyPlace, place, "advance");
  const auto bounds = place.index_bounds();
  on_backend(place, ARBG_BACKENDS(advance))(place);
  place.set_index_bounds({bounds.least + 1, bounds.largest + 1});
}

void put_row(Tensor& y, const Tensor& place, const Tensor& x) {
  require(y.defined() && x.defined() && y.shape().rank() > 0, "put_row: nothing to put, or to");
  require(x.shape().elements() == row_size(y.shape()) && x.dtype() == y.dtype() &&
              x.backend() == y.backend(),
          "put_row: numbers of shape ", x.shape(), " are no row of those of shape ", y.shape());
  require_place(place, y.extent(0), y, "put_row");
  const bool indices = y.dtype() == DType::i32;
  const IndexBounds bounds = indices ? y.index_bounds().joined(x.index_bounds()) : IndexBounds();
  on_backend(y, ARBG_BACKENDS(put_row))(y, place, x);
  if (indices) y.set_index_bounds(bounds);
}

}  // namespace arbg::tensor
