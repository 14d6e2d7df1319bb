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
#include <memory>
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

struct PlacementAngles {
  std::vector<float> cosine, sine;  // the last again up to a whole block of lanes
};

struct LanePlacementRow {
  // Of a torsion around the bond to the parent: its other end, and its series in the angle from
  // there to the atom, counted as phi is.
  struct AxisTorsion {
    int end;
    std::size_t turning;  // which of the turning atoms: 0 is the atom, then come its companions
    FourierSeries series;
  };
  struct Pair {
    LanePair<float> pair;                     // j: the placed atom
    std::size_t turning = 0;                  // which of the turning atoms is the other
    float radii = 0, inverse_four_radii = 0;  // B_i B_j, 1/(4 B_i B_j); of generalised Born
  };
  ZMatrixRow tree{};
  PlacementAngles fine, coarse;         // the bin middles; fewer, or none: see placement_lanes.cpp
  std::vector<AxisTorsion> axis_torsions;
  struct Sibling {
    int atom;
    float angle, stiffness;  // of the angle sibling - parent - atom
  };
  std::vector<Sibling> siblings;
  std::vector<LaneBond<float>> bonds;
  std::vector<LaneAngle<float>> angles;
  std::vector<LaneTorsion<float>> torsions;
  bool bonded_in_lanes = false;  // there is one of these
  // Of a phase: the angle with the grandparent, angles at which the curve of the angle is known, and
  // weights [bins / angles, 5] to interpolate between.
  std::vector<HarmonicAngle> to_grandparent;
  struct GridAngle {
    double cosine, sine;
    float bend;  // energy of those angles, kJ/mol
  };
  std::vector<GridAngle> angle_grid;
  std::vector<float> weights;
  PlacementAngles phases;
  std::vector<Pair> pairs;
  std::vector<int> turning;  // the atom and its companions
};

class LanePlacement {
 public:
  explicit LanePlacement(std::shared_ptr<const PlacementRows> rows);

  // u [3, V] of row m >= 3, as Placement::lanes().
  void dihedral_curve(std::size_t m, std::span<const double> positions_nm, double r, double theta,
                      std::span<float> u) const;
  void angle_curve(std::size_t m, std::span<const double> positions_nm, double r,
                   std::span<float> u) const;

 private:
  struct Workspace;
  template <bool kCutoff, bool kBorn>
  void evaluate(const LanePlacementRow& row, Workspace& work, std::span<float> u) const;

  std::shared_ptr<const PlacementRows> plain_;
  std::size_t bins_;
  float inverse_thermal_energy_;
  bool has_cutoff_, has_born_;
  float born_cutoff2_, born_shift_;
  std::vector<int> order_;              // the atoms, as they are placed
  std::vector<LanePlacementRow> rows_;  // [N]
};

}  // namespace arbg::md
