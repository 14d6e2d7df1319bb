// A conformation from nothing: idealised geometry, turned side chains, closed disulfide bonds, then
// the nearest minimum of the energy.
//
// 1. Bonds, angles and phases of the force field (ideal_geometry), rings closed; phi and psi as
// asked.
// 2. Each bond of a side chain is turned to where the energy is lowest, in sweeps.
// 3. Disulfide bonds pull their sulfurs together from wherever they are, a little shorter each
// time.
// 4. Minimisation (md/dynamics/dynamics.h).
// The result is checked (md/molecule/structure_check.h) and, if it has a fault, built again from
// other backbones, always the same ones; nothing is random from call to call.
#pragma once

#include <optional>
#include <vector>

#include "md/molecule/system.h"
#include "md/molecule/topology.h"

namespace arbg::md {

struct BuildOptions {
  // Of every residue but proline, whose ring decides about phi; without both: an extended chain.
  std::optional<double> phi_rad, psi_rad;
  bool minimize = true;
};

// Positions [N, 3] in nm. Throws Error if no attempt gives a structure without fault, saying what
// is wrong with the last one, and if a disulfide bond is asked for without minimisation.
std::vector<double> build_structure(const Topology& topology, const System& system,
                                    const BuildOptions& options = {});

}  // namespace arbg::md
