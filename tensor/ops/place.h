// A place on the way along a sequence, known where the kernels are: an int32 tensor of one number.
//
// What is repeated as one graph (device/repeated.h) goes to another place each time by reading it
// there. advance: place += 1. put_row: y[place, ...] = x[...], for y [T, ...] of any number type;
// what stands at a place is gather_rows(y, place)'s. Throws Error if shapes, number types or
// backends do not fit together, or the place may be outside.
#pragma once

#include <cstdint>
#include <limits>

#include "tensor/base/philox.h"
#include "tensor/base/random.h"
#include "tensor/tensor.h"

namespace arbg::tensor {

// Random numbers that are another stream at every place: Random(seed, stream_id(NAME, place)), by
// purpose = philox::purpose_of(NAME).
struct PlacedRandom {
  std::uint64_t seed = 0, purpose = 0;
  Tensor place;
};

Tensor make_place(std::int32_t at, Backend backend);
void advance(Tensor& place);
void put_row(Tensor& y, const Tensor& place, const Tensor& x);

// Throws Error unless place is one, known to lie in 0 ... T - 1, and lives where `like` does.
void require_place(const Tensor& place, std::int64_t T, const Tensor& like, const char* operation);
inline constexpr std::int64_t kAnyPlace = std::numeric_limits<std::int32_t>::max();

// The implementations, one a backend; their inputs have been checked. Moving numbers is the same on
// the reference and the cpu.
namespace reference {
Random random_at_place(const PlacedRandom& random);
void advance(Tensor& place);
void put_row(Tensor& y, const Tensor& place, const Tensor& x);
}  // namespace reference
namespace cpu {
using reference::advance, reference::put_row, reference::random_at_place;
}  // namespace cpu
namespace cuda {
void advance(Tensor& place);
void put_row(Tensor& y, const Tensor& place, const Tensor& x);
}  // namespace cuda

}  // namespace arbg::tensor
