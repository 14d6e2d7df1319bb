// A molecule as chemists name it: atoms, residues, bonds. No parameters, no positions.
#pragma once

#include <span>
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
  char insertion_code = ' ';  // as in the PDB file, where 52, 52A and 52B are three residues

  std::string place() const;  // "52A": number and insertion code
  std::string label() const;  // "ALA52A", for messages
};

// One residue's protonation: {"HIS", 3, "HIP"}. Numbers count from 1, caps included, as in a PDB.
struct ResidueState {
  std::string residue;
  int number = 0;
  std::string state;
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

  // From one-letter codes with optional caps (md/forcefields/sequence.cpp): "Ace-A-Nme",
  // "Ace-AA-Nhe" (or -NH2), "AAA". Atoms in the order of the force field's residue templates.
  // States: HID, HIE (unless said otherwise) and HIP of HIS; ASH of ASP, GLH of GLU, LYN of LYS,
  // CYM of CYS. `disulfides` are pairs of residue numbers, whose cysteines become CYX. Throws Error
  // naming a letter, state or residue that is unknown or unfit.
  static Topology from_sequence(std::string_view sequence,
                                std::span<const ResidueState> states = {},
                                std::span<const std::pair<int, int>> disulfides = {});
};

// What moves when the bond from - to is turned: the atoms that hang on `to` once it is cut, `to`
// left out, ascending. None if the bond is part of a ring.
std::vector<int> atoms_beyond(const std::vector<std::vector<int>>& neighbours, int from, int to);

}  // namespace arbg::md
