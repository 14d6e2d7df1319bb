// The terms of placement_rows.h as the lanes read them.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "md/placement/placement_rows.h"
#include "md/terms/harmonic_angle_cpu.h"
#include "md/terms/harmonic_bond_cpu.h"
#include "md/terms/nonbonded_cpu.h"
#include "md/terms/periodic_torsion_cpu.h"

namespace arbg::md {

// Candidates whose energies are in registers at a time: two vectors, so that what is read of a pair
// serves both.
inline constexpr std::size_t kCandidatesInFlight = 2 * kLaneCount<float>;

// sum over n = 1 .. 6 of cosine[n-1] cos(n phi) + sine[n-1] sin(n phi)
template <class T>
struct FourierSeries {
  std::array<T, kMostPeriodicity> cosine{}, sine{};
};

// A torsion around the bond from grandparent to parent that ends in the atom: its other end, and
// its series in phi less the azimuth of that end.
struct AxisTorsion {
  int end;
  FourierSeries<double> series;
};

// An angle at the parent between the atom and one placed before.
struct SiblingAngle {
  int sibling;
  float angle, stiffness;
};

struct PlacedPair {
  LanePair<float> plain;           // j: the placed atom
  float radii = 0, per_radii = 0;  // of generalised Born: B_i B_j, log2(e)/(4 B_i B_j)
};

struct LanePlacementRow {
  ZMatrixRow tree{};
  std::vector<float> cosine, sine;  // of the bin middles, the last again up to a full flight

  std::vector<HarmonicBond> parent_bond;  // these two depend on r and theta alone
  std::vector<HarmonicAngle> grandparent_angle;
  double axis_constant = 0;  // of the torsions around the axis, kJ/mol
  std::vector<AxisTorsion> axis_torsions;
  std::vector<SiblingAngle> sibling_angles;
  std::vector<LaneBond<float>> bonds;  // all others
  std::vector<LaneAngle<float>> angles;
  std::vector<LaneTorsion<float>> torsions;

  std::vector<PlacedPair> pairs, excluded;  // the latter only meet in the solvent
};

// [N]; without a curve in the first three rows. Throws Error for a periodicity above 6.
std::vector<LanePlacementRow> lane_placement_rows(const PlacementRows& all);

}  // namespace arbg::md
