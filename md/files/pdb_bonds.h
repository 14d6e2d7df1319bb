// Bonds in PDB files: which cysteines are linked, read from SSBOND and CONECT; CONECT to write.
//
// Bonds inside residues and along the chain come from templates; only disulfide bonds are news.
// They are read as pairs of atoms SG (CONECT) or of residues (SSBOND), by chain, number and
// insertion code. A line that cannot be read throws Error with the place it was given.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "md/molecule/topology.h"

namespace arbg::md {

class PdbBonds {
 public:
  // The next atom of the molecule has this serial number; text that is no number has none.
  void add_atom(std::string_view serial_columns);

  // A whole SSBOND or CONECT record; `place` is PATH:LINE.
  void read(std::string_view record, const std::string& place);

  // Pairs of residue indices of the molecule, whose chain is that letter, each once. Throws Error
  // if an SSBOND names a residue that is not there; a chain left blank is the molecule's.
  std::vector<std::pair<int, int>> disulfides(const Topology& topology, char chain) const;

 private:
  struct NamedResidue {
    std::string residue;  // "52A"
    char chain;
    std::string line;  // PATH:LINE of its record
  };
  int atom_count_ = 0;
  std::map<int, int> atom_of_serial_;
  std::vector<std::pair<int, int>> serial_pairs_;
  std::vector<std::pair<NamedResidue, NamedResidue>> residue_pairs_;
};

// CONECT records, serial numbers counting from 1, of the bonds that readers of PDB files cannot
// know: disulfide bonds, and all bonds of residues without a standard name (LYN, CYM).
std::string conect_records(const Topology& topology);

}  // namespace arbg::md
