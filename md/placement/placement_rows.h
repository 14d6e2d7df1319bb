// The terms of a molecule, dealt out to the atoms that complete them: for placement.cpp and what it
// calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "md/coordinates/zmatrix.h"
#include "md/molecule/system.h"

namespace arbg::md {

struct PlacementRow {
  ZMatrixRow tree;
  double low = 0, width = 0;  // of the dihedral's bins, in radians; 0 in the first three rows
  // Bonds, angles, torsions and 1-4 pairs of this atom with atoms of earlier rows, and nothing
  // else. Indices are atoms of the whole molecule.
  System terms;

  double middle(std::int64_t bin) const { return low + (static_cast<double>(bin) + 0.5) * width; }
};

struct PlacementRows {
  System system;
  double thermal_energy_kj_mol;
  std::int64_t bins;
  std::vector<double> born_radii_nm;  // [N], or empty: no solvent
  std::vector<PlacementRow> rows;     // [N], in the order of generation

  // The row of each atom, [N].
  std::vector<std::size_t> places() const {
    std::vector<std::size_t> place(rows.size());
    for (std::size_t m = 0; m < rows.size(); ++m)
      place[static_cast<std::size_t>(rows[m].tree.atom)] = m;
    return place;
  }
};

}  // namespace arbg::md
