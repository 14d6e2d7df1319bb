// The terms of a molecule, dealt out to the atoms that complete them: for placement.cpp and what it
// calls.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "md/coordinates/zmatrix.h"
#include "md/molecule/system.h"
#include "md/placement/placement.h"

namespace arbg::md {

// The bins of an angle or a dihedral, in radians.
struct AngularBins {
  double low = 0, width = 0;
  double middle(std::int64_t bin) const { return low + (static_cast<double>(bin) + 0.5) * width; }
};

struct PlacementRow {
  ZMatrixRow tree{};
  AngularBins phi;         // without width in the first three rows
  AngularBins groups;      // of bins of theta
  AngularBins phases;      // kPlacementPhases of them on the support of phi
  bool has_phase = false;  // phi does not turn freely
  // Bonds, angles, torsions and 1-4 pairs of this atom with atoms of earlier rows, and nothing
  // else. Indices are atoms of the whole molecule.
  System terms;
};

struct PlacementTerms {
  System system;
  double thermal_energy_kj_mol;
  std::int64_t bins;
  std::vector<double> born_radii_nm;  // [N], or empty: no solvent
  std::vector<PlacementRow> rows;     // [N], in the order of generation

  std::vector<std::size_t> places() const;  // of every atom, its row
};

// Lagrange's weights of five values one apart, for a place x steps away from the middle one.
inline constexpr std::size_t kPoints = kPlacementPoints, kMargin = kPoints / 2;
std::array<double, kPoints> interpolation_weights(double x);

// How many bins of theta are in a group, and how many groups bin k of one is away from its middle.
std::int64_t bins_in_group(std::int64_t bins);
inline double place_in_group(std::int64_t k, std::int64_t group) {
  return (static_cast<double>(k) + 0.5) / static_cast<double>(group) - 0.5;
}

// u [3, V] of row m as placement.h has them, by plain loops; arguments have been checked.
void dihedral_curve_reference(const PlacementTerms& all, std::size_t m,
                              std::span<const double> positions_nm, double r, double theta,
                              std::span<double> u);
void angle_curve_reference(const PlacementTerms& all, std::size_t m,
                           std::span<const double> positions_nm, double r, std::span<double> u);

}  // namespace arbg::md
