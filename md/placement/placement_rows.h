// The terms of a molecule, dealt out to the atoms that complete them, and which atoms turn together:
// for placement.cpp and what it calls.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "md/coordinates/coordinate_map.h"
#include "md/molecule/system.h"

namespace arbg::md {

// An atom that is placed later, and where it is then expected (placement.h).
struct Companion {
  std::size_t row;       // of the tree
  double r, theta, phi;  // expected
};

struct PlacementRow {
  ZMatrixRow tree;
  struct Bins {
    double low = 0, width = 0;  // radians
    double middle(std::int64_t bin) const { return low + (static_cast<double>(bin) + 0.5) * width; }
  };
  Bins dihedral, angle;     // without width in the first three rows
  bool is_phase = false;    // the dihedral does not turn freely
  // Bonds, angles, torsions and 1-4 pairs of this atom with atoms of earlier rows, and nothing
  // else. Indices are atoms of the whole molecule.
  System terms;
  std::vector<Companion> companions;  // in the order of the tree
  // Bonds, angles and torsions of the companions with each other, this atom and atoms of earlier
  // rows; 1-4 pairs with atoms of earlier rows alone.
  System companion_terms;
};

// Phases that the curve of an angle is summed over.
inline constexpr std::int64_t kPhases = 32;

// The middle of phase k of kPhases that share the support of a dihedral of `bins` bins.
inline double middle_phase(const PlacementRow& row, std::int64_t bins, std::int64_t k) {
  const double width = row.dihedral.width * static_cast<double>(bins) / kPhases;
  return row.dihedral.low + (static_cast<double>(k) + 0.5) * width;
}


struct PlacementRows {
  System system;
  double thermal_energy_kj_mol;
  std::int64_t bins;
  std::vector<double> born_radii_nm;  // [N], or empty: no solvent
  std::vector<PlacementRow> rows;     // [N], in the order of generation
};

// Fills in companions and their terms. rows have everything else. ideal_z [K]: the ideal geometry.
void find_companions(const CoordinateMap& map, std::span<const double> ideal_z,
                     PlacementRows& all);

// u [3, V] as placement.h has them, by plain loops; arguments have been checked.
void dihedral_curve_reference(const PlacementRows& all, std::size_t m,
                              std::span<const double> positions_nm, double r, double theta,
                              std::span<double> u);
void angle_curve_reference(const PlacementRows& all, std::size_t m,
                           std::span<const double> positions_nm, double r, std::span<double> u);

// Sets the companions of row m in x [N, 3], of which the earlier rows and its own atom stand.
void set_companions(const PlacementRows& all, std::size_t m, std::span<double> x);

}  // namespace arbg::md
