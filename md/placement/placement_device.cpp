#include "md/placement/placement_device.h"

#include "md/placement/placement_device_memory.h"
#include "tensor/base/error.h"

namespace arbg::md {
namespace {

constexpr tensor::Device kDevice{Backend::cuda};

[[maybe_unused, noreturn]] void refuse() { fail("this build has no cuda backend"); }

// On a device every array has an address, so that of nothing there is one of something.
template <class T>
tensor::DeviceArray<T> on_device(std::vector<T> values) {
  if (values.empty()) values.emplace_back();
  return {std::span<const T>(values), kDevice};
}

}  // namespace

DevicePlacementMemory::DevicePlacementMemory(const DevicePlacementTables& tables,
                                             std::span<const float> functions_)
    : rows(on_device(tables.rows)),
      curves(on_device(tables.curves)),
      springs(on_device(tables.springs)),
      axis_torsions(on_device(tables.axis_torsions)),
      siblings(on_device(tables.siblings)),
      pairs(on_device(tables.pairs)),
      bonds(on_device(tables.bonds)),
      angles(on_device(tables.angles)),
      torsions(on_device(tables.torsions)),
      phis(on_device(tables.phis)),
      thetas(on_device(tables.thetas)),
      weights(on_device(tables.weights)),
      couplings(on_device(tables.couplings)),
      by_level(on_device(tables.by_level)),
      level_ends(on_device(tables.level_ends)),
      functions(on_device(std::vector<float>(functions_.begin(), functions_.end()))),
      sizes(tables.sizes) {
  sizes.functions = std::ssize(functions_) / sizes.bins;
}

DevicePlacement::DevicePlacement(const Placement& placement, const CoordinateMap& map,
                                 std::span<const RingClosure> closures,
                                 std::span<const float> functions)
    : memory_(std::make_shared<const DevicePlacementMemory>(placement.device_tables(map, closures),
                                                            functions)) {}

#if defined(ARBG_CUDA)

void DevicePlacement::place_atoms(const DeviceCoordinates& z, std::int64_t known,
                                  OnDevice<double> positions_nm) const {
  cuda::place_atoms(*memory_, z, known, positions_nm);
}

void DevicePlacement::add(const DeviceDraws& drawn, OnDevice<double> z,
                          OnDevice<double> positions_nm) const {
  cuda::add_drawn(*memory_, drawn, z, positions_nm);
}

void DevicePlacement::curves(const DeviceCoordinates& z, OnDevice<const double> positions_nm,
                             OnDevice<const std::int32_t> coordinates,
                             const DeviceCurves& out) const {
  cuda::placement_curves(*memory_, z, positions_nm, coordinates, out);
}

#else  // no such object can be made

void DevicePlacement::place_atoms(const DeviceCoordinates&, std::int64_t, OnDevice<double>) const {
  refuse();
}

void DevicePlacement::add(const DeviceDraws&, OnDevice<double>, OnDevice<double>) const {
  refuse();
}

void DevicePlacement::curves(const DeviceCoordinates&, OnDevice<const double>,
                             OnDevice<const std::int32_t>, const DeviceCurves&) const {
  refuse();
}

#endif

}  // namespace arbg::md
