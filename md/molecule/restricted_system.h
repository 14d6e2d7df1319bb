// The part of a molecule that is there already: the terms whose atoms have all been placed.
//
// U_k = bonds + angles + torsions + nonbonded pairs (exclusions and 1-4 pairs as in the whole)
// among the given atoms; no implicit solvent, whose radii depend on every atom. Over all atoms U is
// E without the solvent.
#pragma once

#include <span>

#include "md/molecule/system.h"

namespace arbg::md {

// Atom i of the result is atom atoms[i] of `system`. Throws Error for an atom that is not there or
// is named twice.
System restricted(const System& system, std::span<const int> atoms);

}  // namespace arbg::md
