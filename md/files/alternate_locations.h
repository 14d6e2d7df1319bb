// Alternate locations in PDB files: which of them is the conformation.
//
// An atom belongs to all locations if it is there once, and either without a letter or with
// occupancy 1. Neighbouring residues that have other atoms are one group, from which one location
// is taken: of the complete ones that with the largest mean occupancy, the first letter of equal
// ones. Complete: it has every atom of the group; where the letter has none, that without a letter
// counts.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "md/files/pdb_atom.h"

namespace arbg::md {

class AlternateLocations {
 public:
  // The atoms of one model in the order of the file, without those of locations that are not taken;
  // of later models the locations of the first. Throws Error as PATH:LINE if no location is
  // complete, or if the locations of a place are different residues.
  std::vector<PdbAtom> choose(std::span<const PdbAtom> model, const std::string& path);

  // What was taken where there was a choice, "SER3 B (occupancy 0.70; A 0.30)", or "".
  const std::string& note() const { return note_; }

 private:
  std::map<std::string, char> taken_;  // of each residue with a choice
  std::string note_;
};

}  // namespace arbg::md
