// Placement energies in float32, kLaneCount<float> candidates at a time.
//
// The candidates lie on a circle, x(phi) = c + rho (cos phi e1 + sin phi e2), so that the squared
// distance to a placed atom a, with d = a - c, is
//
//   |x - a|^2 = (d^2 + rho^2) - 2 rho d.e1 cos phi - 2 rho d.e2 sin phi
//
// two multiply-adds with tables of cos and sin. So is the cosine of the angle with a sibling.
// Torsions around the bond from grandparent to parent depend on phi less the azimuth of their other
// end: all of them are one Fourier series in phi. Other bonded terms, of rings and impropers, are
// evaluated atom by atom.
#pragma once

#include <span>
#include <vector>

#include "md/placement/placement_lane_rows.h"

namespace arbg::md {

class LanePlacement {
 public:
  explicit LanePlacement(const PlacementRows& all);

  // u [3, V] of row m >= 3, as Placement::lanes().
  void curve(std::size_t m, std::span<const double> positions_nm, double r, double theta,
             std::span<float> u) const;

 private:
  struct View;
  template <bool kCutoff, bool kBorn>
  void evaluate(const LanePlacementRow& row, View& view, std::span<float> u) const;

  std::size_t bins_;
  float inverse_thermal_energy_;
  float cutoff2_, born_shift_;  // cutoff^2 and 1/cutoff, or 0 without a cutoff
  bool has_born_;
  std::vector<LanePlacementRow> rows_;  // [N]
};

}  // namespace arbg::md
