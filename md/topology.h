// A molecule as chemists name it: atoms, residues, bonds. No parameters, no positions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace arbg::md {

struct Atom {
  std::string name;     // PDB name: "CA", "HB1"
  std::string element;  // "C", "H", ...
  int residue = 0;      // index into Topology::residues
};

struct Residue {
  std::string name;  // PDB name: "ALA", "ACE", "NME"
  int number = 1;    // as in the PDB file, from 1
  int first_atom = 0, atom_count = 0;
};

struct Topology {
  std::vector<Atom> atoms;
  std::vector<Residue> residues;
  std::vector<std::pair<int, int>> bonds;  // atom indices, first < second, sorted

  int atom_count() const { return static_cast<int>(atoms.size()); }

  // The atom of that name in that residue, or -1.
  int find(int residue, std::string_view atom_name) const;

  // "ALA2:CB", for messages.
  std::string describe(int atom) const;

  // Atoms bonded to each atom, ascending.
  std::vector<std::vector<int>> neighbours() const;

  // From one-letter codes with optional caps: "Ace-A-Nme", "Ace-AAA-Nme", "AAA". Atoms in the order
  // of the force field's residue templates. Throws Error naming a letter or cap that is unknown.
  static Topology from_sequence(std::string_view sequence);
};

}  // namespace arbg::md
