// Do coordinates mean what the likelihood takes them to mean?
//
// Bins tile their support and are as wide as log q says; what is outside is refused; the volume
// factor is the Jacobian determinant, by finite differences in double; and positions measure back
// to the coordinates, by measurements written again here.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sampling/audit/check.h"
#include "sampling/proposals/generator.h"

namespace arbg::sampling {

// The coordinates z [K] of a conformation [N, 3]: distances, angles and dihedrals along the tree of
// an internal map, x/scale of a Cartesian one (whose frame is that of the sample).
class Ruler {
 public:
  explicit Ruler(const md::CoordinateMap& map);
  std::vector<double> measure(std::span<const double> positions_nm) const;

 private:
  struct Row {
    std::size_t atom, parent, grandparent, reference;
  };
  std::vector<md::Coordinate> coordinates_;
  std::vector<Row> tree_;  // empty: Cartesian
  double scale_nm_ = 1;
};

// How far z lies outside the cell of its token, in widths of the cell; 0 inside, infinity if NaN.
double distance_from_cell(const nn::CoordinateBins& bins, std::int64_t j, double z,
                          std::int32_t token);

// The token of z by arithmetic of its own, kOutside if outside.
std::int32_t plain_token(const nn::CoordinateBins& bins, std::int64_t j, double z);

// The bins of rows of z [B, K] as the densities have them, by CoordinateBins::encode(): a draw on
// the edge of a bin, which plain_token() may round into the bin beside, belongs where log q has it.
std::vector<std::int32_t> cells_of(const nn::CoordinateBins& bins, std::span<const double> z);

// Draws with the bins of their coordinates.
struct BinnedSamples : Samples {
  std::vector<std::int32_t> tokens;  // [B, K]
};

std::vector<Check> audit_coordinates(const Generator& generator, const BinnedSamples& samples);

}  // namespace arbg::sampling
