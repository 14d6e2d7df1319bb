// Stereocentres: CA of every residue that has a CB, and CB of ILE and THR.
//
// The hand is the sign of a volume: (a - centre) . ((b - centre) x (c - centre)), positive for L
// amino acids ("CORN": seen with HA towards the eye, CO, R, N read clockwise) and for the side
// chains of isoleucine (2S,3S) and threonine (2S,3R). A force field does not know hands; what is
// learned does: models are of L peptides.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "md/molecule/topology.h"

namespace arbg::md {

struct Stereocentre {
  int centre, a, b, c;  // atoms

  // Positive in the natural hand. Positions [N, 3].
  double volume(std::span<const double> positions_nm) const;
};

std::vector<Stereocentre> stereocentres(const Topology& topology);

// "ALA3 is a D residue", "the side chain of THR3 has the wrong hand", of the first that is mirrored
// in one conformation, or "".
std::string mirrored_centre(const Topology& topology, std::span<const double> positions_nm);

// Throws Error with `where`, the frame if there are several, and the residue, if a conformation of
// positions [frames, N, 3] has a mirrored centre.
void require_natural_hands(const Topology& topology, std::span<const double> positions_nm,
                           const std::string& where);

}  // namespace arbg::md
