// What minimisation does not repair: wrong hands, cis peptide bonds, bonds through rings, overlaps.
//
// A minimum of the energy may still have a D residue, a cis bond or a chain threaded through a
// ring, because no small move leads out of it. Hands: md/molecule/stereocentres.h.
#pragma once

#include <span>
#include <string>

#include "md/molecule/system.h"
#include "md/molecule/topology.h"

namespace arbg::md {

// The first fault found, as "ALA2 is a D residue", or "" if there is none. Positions [N, 3] in
// nm. Peptide bonds are trans if omega is within 60 degrees of 180; bonds are broken beyond 0.25
// nm, atoms without a bond overlap below 0.12 nm.
std::string structure_fault(const Topology& topology, std::span<const double> positions_nm);

// The first peptide bond beyond 0.25 nm, as "the bond HIS3:C - LYS5:N is 0.94 nm long", or "" if
// there is none, or if bonds of other kinds are that long, too. Residues that follow each other in
// a file are bonded, even if one between them was not resolved.
std::string gap_in_chain(const Topology& topology, std::span<const double> positions_nm);

// Why a conformation [N, 3] is none, as "has all atoms at one place ...", or "" if it is one: all
// numbers must be finite, and not all atoms at one place, as the zeros are that a killed run
// leaves.
std::string conformation_fault(std::span<const double> positions_nm);

// Names of the atoms and the unit are not in a trajectory: they show in the bonds. Throws Error
// with `where` and the bond whose length, the median of at most 100 frames of [frames, N, 3],
// evenly spaced, is not within 40 % of the force field's.
void require_bonded(const Topology& topology, const System& system,
                    std::span<const double> positions_nm, const std::string& where);

// The unit alone, of conformations that may be poor: throws Error with `where` if all bonds of
// [frames, N, 3], by their medians as above, would be as long as the force field's in Angstrom.
void require_nanometres(const Topology& topology, const System& system,
                        std::span<const double> positions_nm, const std::string& where);

// "ALA2:HB1 and ALA2:HB2": the two that are nearest to each other.
std::string closest_atoms(const Topology& topology, std::span<const double> positions_nm);

}  // namespace arbg::md
