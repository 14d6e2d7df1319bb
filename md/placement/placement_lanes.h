// Placement energies in float32, kLaneCount<float> candidates at a time.
//
// The candidates of a dihedral lie on a circle, x(phi) = c + rho (cos phi e1 + sin phi e2), so that
// the squared distance to a placed atom a, with d = a - c, is
//
//   |x - a|^2 = (d^2 + rho^2) - 2 rho d.e1 cos phi - 2 rho d.e2 sin phi
//
// two multiply-adds with tables of cos and sin. Pairs that stay far apart are smooth in phi: they
// are evaluated at every fourth bin, and interpolated. Torsions around the bond from grandparent to
// parent that end in the atom depend on phi minus the azimuth of their other end: all of them are
// one Fourier series in phi. The cosine of the angle to a sibling is again a number plus one times
// cos phi plus one times sin phi. Other bonded terms are evaluated atom by atom.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "md/molecule/vector3.h"
#include "md/placement/placement_terms.h"
#include "md/terms/harmonic_angle_cpu.h"
#include "md/terms/harmonic_bond_cpu.h"
#include "md/terms/nonbonded_cpu.h"
#include "md/terms/periodic_torsion_cpu.h"

namespace arbg::md {

// sum over n = 1 .. 6 of cosine[n-1] cos(n phi) + sine[n-1] sin(n phi)
struct FourierSeries {
  std::array<double, kMostPeriodicity> cosine{}, sine{};
};

// Tables over angles, the last one again up to whole blocks of lanes.
struct PlacementAngles {
  std::vector<float> cosine, sine;
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
  struct Sibling {
    int atom;
    float angle, stiffness;  // of the angle sibling - parent - atom
  };
  struct GridAngle {
    double theta, cosine, sine;
  };
  ZMatrixRow tree{};
  std::vector<HarmonicBond> to_parent;  // these depend on r and theta alone
  std::vector<HarmonicAngle> to_grandparent;
  double axis_constant = 0;  // of the torsions around the axis, kJ/mol
  std::vector<AxisTorsion> axis_torsions;
  std::vector<Sibling> siblings;
  std::vector<LaneBond<float>> bonds;
  std::vector<LaneAngle<float>> angles;
  std::vector<LaneTorsion<float>> torsions;
  bool has_others = false;            // bonds, angles or torsions that need places of atoms
  std::vector<Pair> pairs, excluded;  // the latter have solvent only

  // Of the dihedral: its bins, and fewer angles for what is smooth, or none.
  PlacementAngles bins, coarse;
  // Of the angle before a phase: angles at which its curve is known, weights [5, group] of the
  // bins of a group, with zeros up to whole vectors, and the phases.
  std::vector<GridAngle> thetas;
  std::vector<float> weights;
  PlacementAngles phases;
};

class LanePlacement {
 public:
  explicit LanePlacement(const PlacementTerms& all);

  const std::vector<LanePlacementRow>& rows() const { return rows_; }
  float born_shift() const { return born_shift_; }  // 1/cutoff, or 0

  // u [3, V] of row m >= 3, as Placement::lanes().
  void dihedral_curve(std::size_t m, std::span<const double> positions_nm, double r, double theta,
                      std::span<float> u) const;
  void angle_curve(std::size_t m, std::span<const double> positions_nm, double r,
                   std::span<float> u) const;

 private:
  struct Workspace;
  template <bool kCutoff, bool kBorn>
  void add_pairs(const LanePlacementRow& row, Workspace& work) const;

  std::size_t bins_;
  float inverse_thermal_energy_;
  bool has_cutoff_, has_born_;
  float born_cutoff2_, born_shift_;
  std::vector<int> order_;              // the atoms, as they are placed
  std::vector<LanePlacementRow> rows_;  // [N]
};

// The table of a row (placement_tables.cpp), and how it is laid out.
inline constexpr std::size_t kPlacementLanes = kLaneCount<float>;
inline constexpr std::size_t kStep = 4;  // bins from one coarse angle to the next
inline constexpr std::size_t kBinVectors = 4, kCoarseVectors = 5;  // in a block

LanePlacementRow lane_placement_row(const PlacementRow& plain, std::size_t bins);

// Of the terms that depend on r and theta alone, kJ/mol.
double constant_energy(const LanePlacementRow& row, double r, double theta);

}  // namespace arbg::md
