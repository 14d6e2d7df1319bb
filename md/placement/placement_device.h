// Placement energies where the coordinates are: in the memory of a CUDA device, in float32.
//
// The curves of placement.h, with the closures of rings (ring_closure.h) in the bonded component;
// within the tolerances that Placement::lanes() has. Nothing here waits for the device, and but for
// the constructor nothing uploads: calls can be recorded (tensor/device/repeated.h). A curve is a
// function of the positions of atoms placed before and of coordinates before, the same bits beside
// any others.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "md/coordinates/coordinate_map.h"
#include "md/placement/placement.h"
#include "md/placement/ring_closure.h"
#include "tensor/base/random.h"
#include "tensor/device/on_device.h"

namespace arbg::md {

using tensor::OnDevice;

// z of B rows there: coordinate j of row b is z[b row + j coordinate].
struct DeviceCoordinates {
  OnDevice<const double> z;
  std::int64_t row = 0, coordinate = 1;
};

// Coordinates as they are drawn: their place [1], the same in all rows, and the bin of each row
// [B]; U is random.uniform(first + j step + b stride) of row b. Within a bin the density goes as 1
// + a t, t from -1/2 to 1/2.
struct DeviceDraws {
  OnDevice<const std::int32_t> bins, place;
  Random random;
  std::uint64_t first = 0, step = 0, stride = 1;
  OnDevice<const double> slopes;  // a [B], from -2 to 2 (excluded), or empty: 0
};

// What is told of S coordinates of B rows.
struct DeviceCurves {
  OnDevice<float> u;  // [B, S, 3, V] over RT
  // [B, n, F], of positions first ... first + n - 1, or empty: means of the F functions over the
  // distribution softmax(-sum_c u_c); only those of positions with curves are written.
  OnDevice<float> means;
  std::int64_t first = 0, n = 1;
  bool capped = true;  // as shift_and_cap() does it
};

struct DevicePlacementMemory;  // placement_device.cpp

class DevicePlacement {
 public:
  // Makes tables on the device. functions [F, V] of a bin. Throws Error if this build has no cuda
  // backend, or there is no device.
  DevicePlacement(const Placement& placement, const CoordinateMap& map,
                  std::span<const RingClosure> closures, std::span<const float> functions);

  // positions [B, N, 3] in nm of all atoms whose coordinates are among the first `known`, as
  // positions_from_internal() has them, in double.
  void place_atoms(const DeviceCoordinates& z, std::int64_t known,
                   OnDevice<double> positions_nm) const;
  // The coordinate at place j of each row, into z [B, K]: low_j + (bin + f) width_j, f the root of
  // a/2 f^2 + (1 - a/2) f = U, which for a = 0 is U; and the atom of which it is the last, or the
  // first three with the third, into positions [B, N, 3], where place_atoms() has them to rounding.
  void add(const DeviceDraws& drawn, OnDevice<double> z, OnDevice<double> positions_nm) const;

  // coordinates [S]. One without a curve has zeros, and means of zero.
  void curves(const DeviceCoordinates& z, OnDevice<const double> positions_nm,
              OnDevice<const std::int32_t> coordinates, const DeviceCurves& out) const;

 private:
  std::shared_ptr<const DevicePlacementMemory> memory_;
};

}  // namespace arbg::md
