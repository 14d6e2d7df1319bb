// The tables of placement energies in the memory of a device, and the functions that launch kernels
// on them: for placement_device.cpp and placement_cuda.cu.
#pragma once

#include "md/placement/placement_device.h"
#include "md/placement/placement_device_tables.h"
#include "tensor/device/device_array.h"

namespace arbg::md {

struct DevicePlacementMemory {
  DevicePlacementMemory(const DevicePlacementTables& tables, std::span<const float> functions_);

  template <class T>
  using Array = tensor::DeviceArray<T>;
  Array<DevicePlacementRow> rows;
  Array<DeviceCurve> curves;
  Array<PlacedSpring> springs;
  Array<PlacedAxisTorsion> axis_torsions;
  Array<PlacedSibling> siblings;
  Array<PlacedPair> pairs;
  Array<PlacedBond> bonds;
  Array<PlacedAngle> angles;
  Array<PlacedTorsion> torsions;
  Array<PlacedPhi> phis;
  Array<PlacedTheta> thetas;
  Array<float> weights;
  Array<PlacedCoupling> couplings;
  Array<int> by_level, level_ends;
  Array<float> functions;
  DevicePlacementSizes sizes;
};

namespace cuda {
void place_atoms(const DevicePlacementMemory& memory, const DeviceCoordinates& z,
                 std::int64_t known, OnDevice<double> positions_nm);
void add_drawn(const DevicePlacementMemory& memory, const DeviceDraws& drawn, OnDevice<double> z,
               OnDevice<double> positions_nm);
void placement_curves(const DevicePlacementMemory& memory, const DeviceCoordinates& z,
                      OnDevice<const double> positions_nm, OnDevice<const std::int32_t> coordinates,
                      const DeviceCurves& out);
}  // namespace cuda

}  // namespace arbg::md
