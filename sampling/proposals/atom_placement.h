// Placement energies of a molecule for a network (nn/transformer/placement.h): md/placement at
// work.
//
// Position t has a curve if its coordinate is the dihedral of an atom that is placed after three
// others, or the angle before a phase, or if a planar ring that is still open depends on it. Its
// energies are those of md/placement, the closure of rings in the bonded component, shifted and
// capped as md::shift_and_cap() says. They are computed from the coordinates themselves, not from
// the middles of their bins: in double on the reference backend, in float32 elsewhere, and on a
// device by itself. There they differ from the cpu's by rounding and by what the cpu interpolates
// (md/placement/placement.h), and log q with them.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "md/coordinates/coordinate_map.h"
#include "md/placement/placement.h"
#include "md/placement/ring_closure.h"
#include "nn/transformer/placement.h"

namespace arbg::sampling {

class AtomPlacement final : public nn::Placement {
 public:
  // Throws Error if the map is not of internal coordinates, or the config asks for other numbers
  // than there are.
  AtomPlacement(const md::System& system, const md::CoordinateMap& map, double temperature_kelvin,
                std::int64_t bins, std::vector<double> born_radii_nm,
                const nn::PlacementConfig& config, std::vector<md::RingClosure> closures = {});

  bool has_curve(std::int64_t position) const override {
    return placement_.has_curve(static_cast<int>(position)) || closure_of(position);
  }
  nn::PlacementRows rows(const nn::Tensor& z, std::int64_t first, std::int64_t n,
                         nn::Backend backend) const override;
  bool works_on(nn::Backend backend) const override;
  std::unique_ptr<nn::GrowingPlacement> grow(const nn::Tensor& z, std::int64_t n,
                                             nn::Backend backend) const override;

  const md::Placement& energies() const { return placement_; }
  // Null if it has none.
  const md::RingClosure* closure_of(std::int64_t position) const;

 private:
  struct OnDevice;  // atom_placement_cuda.cpp
  class Growing;    // likewise

  // Made when first asked for, which uploads.
  const OnDevice& on_device() const;
  nn::PlacementRows rows_on_device(const nn::Tensor& z, std::int64_t first, std::int64_t n) const;

  template <class Real>
  nn::PlacementRows rows_of(const nn::Tensor& z, std::int64_t first, std::int64_t n,
                            nn::Backend backend) const;
  // z: the coordinates before j.
  template <class Real>
  void curve(std::int64_t j, std::span<const double> positions_nm, std::span<const double> z,
             std::span<Real> u) const;

  std::unique_ptr<md::CoordinateMap> map_;
  md::Placement placement_;
  std::int64_t bins_;
  nn::CurveMoments moments_;
  std::vector<md::RingClosure> closures_;  // ascending
  mutable std::once_flag made_;
  mutable std::shared_ptr<const OnDevice> on_device_;
};

}  // namespace arbg::sampling
