// The internal-coordinate map as a class, for coordinate_map.cpp. Users call make_internal_map.
//
// coordinates_[j] belongs to z[j] as laid out in zmatrix.h. The middle of a dihedral's support says
// how it is wrapped.
#pragma once

#include <vector>

#include "md/coordinates/coordinate_map.h"
#include "md/coordinates/zmatrix.h"

namespace arbg::md {

class InternalMap final : public CoordinateMap {
 public:
  InternalMap(ZMatrix zmatrix, std::vector<Coordinate> coordinates);

  // Throws Error saying which row of the tree does not fit.
  static std::unique_ptr<CoordinateMap> from_json(const Json& json);

  std::string name() const override { return "internal"; }
  int atom_count() const override { return static_cast<int>(zmatrix_.size()); }
  bool invariant_to_motion() const override { return true; }
  bool has_mirror_images() const override { return false; }  // phases pin the hand
  std::span<const ZMatrixRow> tree() const override { return zmatrix_; }
  void encode(std::span<const double> positions_nm, std::span<double> z, const Random& random,
              std::uint64_t index) const override;
  void decode(std::span<const double> z, std::span<double> positions_nm) const override;
  std::vector<int> atom_order() const override;
  double log_volume(std::span<const double> z) const override;
  void pull_back(std::span<const double> z, std::span<const double> positions_nm,
                 std::span<const double> dpositions, std::span<double> dz) const override;
  Json to_json() const override;

 private:
  ZMatrix zmatrix_;
};

}  // namespace arbg::md
