// Placement energies in float32, kLaneCount<float> candidates at a time.
//
// The candidates lie on a circle, x(phi) = c + rho (cos phi e1 + sin phi e2), so that the squared
// distance to a placed atom a, with d = a - c, is
//
//   |x - a|^2 = (d^2 + rho^2) - 2 rho d.e1 cos phi - 2 rho d.e2 sin phi
//
// two multiply-adds with tables of cos and sin. Torsions around the bond from grandparent to parent
// that end in the atom depend on phi minus the azimuth of their other end: all of them are one
// Fourier series in phi. Other bonded terms are evaluated atom by atom.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "md/molecule/vector3.h"
#include "md/placement/placement_rows.h"
#include "md/terms/harmonic_angle_cpu.h"
#include "md/terms/harmonic_bond_cpu.h"
#include "md/terms/nonbonded_cpu.h"
#include "md/terms/periodic_torsion_cpu.h"

namespace arbg::md {

// sum over n = 1 .. 6 of cosine[n-1] cos(n phi) + sine[n-1] sin(n phi)
struct FourierSeries {
  std::array<double, kMostPeriodicity> cosine{}, sine{};
};

struct LanePlacementRow {
  // Of a torsion around the bond to the parent: its other end, and its series in the angle from
  // there to the atom, counted as phi is.
  struct AxisTorsion {
    int end;
    FourierSeries series;
  };
  struct Pair {
    LanePair<float> pair;                     // j: the placed atom
    float radii = 0, inverse_four_radii = 0;  // B_i B_j, 1/(4 B_i B_j); of generalised Born
  };
  ZMatrixRow tree{};
  std::vector<float> cosine, sine;      // of the bin middles; the last again up to a whole block
  std::vector<HarmonicBond> to_parent;  // these depend on r and theta alone
  std::vector<HarmonicAngle> to_grandparent;
  double axis_constant = 0;  // of the torsions around the axis, kJ/mol
  std::vector<AxisTorsion> axis_torsions;
  std::vector<LaneBond<float>> bonds;
  std::vector<LaneAngle<float>> angles;
  std::vector<LaneTorsion<float>> torsions;
  std::vector<Pair> pairs;
};

class LanePlacement {
 public:
  explicit LanePlacement(const PlacementRows& all);

  // u [3, V] of row m >= 3, as Placement::lanes().
  void curve(std::size_t m, std::span<const double> positions_nm, double r, double theta,
             std::span<float> u) const;

 private:
  struct Workspace;
  template <bool kCutoff, bool kBorn>
  void evaluate(const LanePlacementRow& row, Workspace& work, std::span<float> u) const;

  std::size_t bins_;
  float inverse_thermal_energy_;
  bool has_cutoff_, has_born_;
  float born_cutoff2_, born_shift_;
  std::vector<int> order_;              // the atoms, as they are placed
  std::vector<LanePlacementRow> rows_;  // [N]
};

}  // namespace arbg::md
