// The Cartesian map as a class, for coordinate_map.cpp. Users call make_cartesian_map.
#pragma once

#include "md/coordinates/coordinate_map.h"

namespace arbg::md {

class CartesianMap final : public CoordinateMap {
 public:
  CartesianMap(int atom_count, double scale_nm, double range);
  static std::unique_ptr<CoordinateMap> from_json(const Json& json);

  std::string name() const override { return "cartesian"; }
  int atom_count() const override { return atom_count_; }
  bool invariant_to_motion() const override { return false; }
  bool has_mirror_images() const override { return true; }
  void encode(std::span<const double> positions_nm, std::span<double> z, const Random& random,
              std::uint64_t index) const override;
  void decode(std::span<const double> z, std::span<double> positions_nm) const override;
  std::vector<int> atom_order() const override;
  double log_volume(std::span<const double> z) const override;
  void pull_back(std::span<const double> z, std::span<const double> positions_nm,
                 std::span<const double> dpositions, std::span<double> dz) const override;
  Json to_json() const override;

 private:
  int atom_count_;
  double scale_nm_, range_;
};

}  // namespace arbg::md
