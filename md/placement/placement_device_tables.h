// What kernels read of a molecule's placement energies: plain structs, all rows' lists one behind
// the other. The numbers are those of placement_lanes.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "md/coordinates/coordinate_map.h"
#include "md/molecule/system.h"

namespace arbg::md {

class LanePlacement;
struct PlacementTerms;
struct RingClosure;

// Part of a list.
struct ListPart {
  int first, count;
};

struct PlacedSpring {  // k/2 (x - rest)^2 of the atom's own bond or angle
  double rest, k;
};

struct PlacedAxisTorsion {
  int end;
  double cosine[kMostPeriodicity], sine[kMostPeriodicity];
};

struct PlacedSibling {
  int atom;
  float angle, stiffness;
};

// With an atom of an earlier row; shifts in kJ/mol.
struct alignas(16) PlacedPair {
  int atom;
  float coulomb, sigma2, four_epsilon, range2, coulomb_shift;
  float born, born_shift, radii, inverse_four_radii;
};

struct PlacedBond {
  int atom[2];
  float length, k;
};
struct PlacedAngle {
  int atom[3];
  float angle, stiffness;
};
struct PlacedTorsion {
  int atom[4], order;
  float constant, cosine[kMostPeriodicity], sine[kMostPeriodicity];
};

struct DevicePlacementRow {
  int atom, parent, grandparent, reference;
  double axis_constant;
  ListPart to_parent, to_grandparent;  // springs
  ListPart axis_torsions, siblings, pairs;
  ListPart bonds, angles, torsions;  // that need places of atoms
  ListPart bins, phases, thetas;
};

struct PlacedTheta {
  double theta, cosine, sine;
};
struct PlacedPhi {
  float cosine, sine;
};

struct PlacedCoupling {  // of ring_closure.h
  int coordinate;
  double stiffness, centre;
};

// Of a coordinate: which curve of placement.h it has, and what ring_closure.h adds to it.
struct DeviceCurve {
  int row;
  bool has_angle, has_dihedral, has_closure;
  double low, width;  // of its bins
  double centre, stiffness, slope;
  ListPart couplings;
};

// What all rows have in common.
struct DevicePlacementSizes {
  std::int64_t bins = 0, functions = 0;
  int levels = 0, most_axis_torsions = 0, most_siblings = 0, most_thetas = 0;  // the most of a row
  bool has_born = false;
  float inverse_thermal_energy = 0, born_cutoff2 = 0;
};

struct DevicePlacementTables {
  std::vector<DevicePlacementRow> rows;  // in the order of generation
  std::vector<DeviceCurve> curves;       // [K]
  std::vector<PlacedSpring> springs;
  std::vector<PlacedAxisTorsion> axis_torsions;
  std::vector<PlacedSibling> siblings;
  std::vector<PlacedPair> pairs;
  std::vector<PlacedBond> bonds;
  std::vector<PlacedAngle> angles;
  std::vector<PlacedTorsion> torsions;
  std::vector<PlacedPhi> phis;  // of bins, and of phases
  std::vector<PlacedTheta> thetas;
  std::vector<float> weights;  // [5, group], of the bins of a group of angles
  std::vector<PlacedCoupling> couplings;
  // The rows from the fourth on: first those whose atoms hang on the first three, then those that
  // hang on these, and so on; and where each such level ends.
  std::vector<int> by_level, level_ends;
  DevicePlacementSizes sizes;
};

DevicePlacementTables device_placement_tables(const PlacementTerms& all, const LanePlacement& lanes,
                                              const CoordinateMap& map,
                                              std::span<const RingClosure> closures);

}  // namespace arbg::md
