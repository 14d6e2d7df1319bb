// What minimisation does not repair: wrong hands, cis peptide bonds, bonds through rings, overlaps.
//
// A minimum of the energy may still have a D residue, a cis bond or a chain threaded through a
// ring, because no small move leads out of it. Hands: md/stereocentres.h.
#pragma once

#include <span>
#include <string>

#include "md/topology.h"

namespace arbg::md {

// The first fault found, as "ALA2 is a D residue", or "" if there is none. Positions [N, 3] in
// nm. Peptide bonds are trans if omega is within 60 degrees of 180; bonds are broken beyond 0.25
// nm, atoms without a bond overlap below 0.12 nm.
std::string structure_fault(const Topology& topology, std::span<const double> positions_nm);

// Names of the atoms are not in a trajectory: their order shows in the bonds. Throws Error with
// `where` and the bond if one is longer than 0.3 nm (the longest, S-S, has 0.2).
void require_bonded(const Topology& topology, std::span<const double> positions_nm,
                    const std::string& where);

}  // namespace arbg::md
