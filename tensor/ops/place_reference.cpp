#include <algorithm>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/place.h"

namespace arbg::tensor::reference {
namespace {

template <class T>
void put(Tensor& y, const Tensor& place, const Tensor& x) {
  const std::int64_t t = place.host_data<std::int32_t>()[0], size = x.elements();
  std::copy_n(x.host_data<T>(), size, y.host_data<T>() + t * size);
}

}  // namespace

Random random_at_place(const PlacedRandom& random) {
  const auto place = static_cast<std::uint64_t>(random.place.host_data<std::int32_t>()[0]);
  return {random.seed, philox::stream_of(random.purpose, place)};
}

void advance(Tensor& place) { ++place.host_data<std::int32_t>()[0]; }

void put_row(Tensor& y, const Tensor& place, const Tensor& x) {
  if (y.dtype() == DType::f64) return put<double>(y, place, x);
  if (y.dtype() == DType::f32) return put<float>(y, place, x);
  put<std::int32_t>(y, place, x);
}

}  // namespace arbg::tensor::reference
