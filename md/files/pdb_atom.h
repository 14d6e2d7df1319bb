// One ATOM or HETATM line of a PDB file.
#pragma once

#include <string>

#include "md/molecule/topology.h"

namespace arbg::md {

struct PdbAtom {
  int line;
  std::string serial, name;
  Residue residue;       // without its atoms
  char chain, location;  // location ' ': the only one, or the first
  double occupancy;      // 0 if it is not said
  double angstrom[3];

  bool same_place(const PdbAtom& other) const {
    return residue.number == other.residue.number &&
           residue.insertion_code == other.residue.insertion_code;
  }
  bool same_residue(const PdbAtom& other) const {
    return same_place(other) && residue.name == other.residue.name;
  }
};

}  // namespace arbg::md
