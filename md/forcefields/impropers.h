// Improper torsions: which rule applies to three neighbours of an atom, and in which order.
//
// Three planar neighbours a, b, c of a centre z give a dihedral (a, b, z, c) that depends on their
// order, and AMBER's tables leave the order open. Energies agree with OpenMM only with its rules
// (openmm/app/forcefield.py, _matchImproper).
#pragma once

#include <array>

#include "md/forcefields/tables.h"

namespace arbg::md {

// An outer atom with everything the order can depend on.
struct OuterAtom {
  int atom;  // index in the molecule
  int atom_class;
  int residue;        // index in the molecule
  int template_atom;  // index in the residue's template
};

struct ImproperMatch {
  const TorsionRule* rule = nullptr;  // null: no rule applies
  std::array<int, 4> atoms{};         // of the dihedral; the centre is the third
};

// The last rule that matches without wildcards, or else the first that matches at all. `outer`
// ascends by atom index.
ImproperMatch match_improper(const ForceFieldTables& tables, int centre, int centre_class,
                             const std::array<OuterAtom, 3>& outer);

}  // namespace arbg::md
