// Half turns about peptide bonds: from trans to cis and back.
//
// Some 80 kJ/mol lie between the two, which no dynamics of nanoseconds crosses, tempered to 600 K
// or not. Yet both are of the ensemble: cis is some parts in ten thousand of it, and more before
// proline. A turn moves all atoms on one side of the bond by half a turn about it,
//
//   x' = p + 2 (u . (x - p)) u - (x - p),   p on the bond, u along it, |u| = 1
//
// which keeps volumes and is its own reverse, so that Metropolis' rule alone leaves the ensemble
// invariant: min(1, exp(-(E' - E)/RT)). Dynamics::try_turns() does it.
#pragma once

#include <span>
#include <vector>

#include "md/molecule/topology.h"

namespace arbg::md {

struct PeptideTurn {
  int from, to;            // the atoms of the bond
  std::vector<int> moved;  // those that turn, ascending: of the smaller side, neither of the bond
};

// One for each bond of carbon and nitrogen between residues; none for bonds of rings, and none
// where it would but rename hydrogens (an NH2 cap).
std::vector<PeptideTurn> peptide_turns(const Topology& topology);

// Turns one conformation [N, 3].
void turn(const PeptideTurn& bond, std::span<double> positions_nm);

}  // namespace arbg::md
