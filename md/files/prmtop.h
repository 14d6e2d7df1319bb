// AMBER's prmtop files: names, bonds and every parameter of any molecule, not only of peptides.
//
//   E = K_b (r - r0)^2 + K_a (theta - theta0)^2 + V (1 + cos(n phi - phase))
//     + A/r^12 - B/r^6 + q q/r, 1-4 pairs divided by SCNB and SCEE, + generalised Born and surface
//
// kcal/mol, Angstrom and charges times 18.2223 become kJ/mol, nm and e. Without cutoff. The solvent
// takes radii and screening factors of the file, dielectric 78.5 and the surface term, as OpenMM's
// AmberPrmtopFile.createSystem(implicitSolvent=OBC1 or OBC2, nonbondedMethod=NoCutoff) does.
// Refused by name: CMAP and other CHARMM terms, virtual sites, periodic boxes, water, polarisation,
// solvent caps, perturbation, 10-12 and 12-6-4 terms, Lennard-Jones pairs that do not follow from
// their atoms by Lorentz-Berthelot (NBFIX), sections of unknown meaning, and lengths or angles in
// other units.
// Source of the format: ambermd.org/FileFormats.php; of the meaning: Case et al., Amber manual.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "md/molecule/system.h"
#include "md/molecule/topology.h"

namespace arbg::md {

enum class ImplicitSolvent { none, obc1, obc2 };

// "none", "obc1" or "obc2". Throws Error listing these.
ImplicitSolvent implicit_solvent_named(std::string_view name);

struct AmberMolecule {
  Topology topology;  // elements by ATOMIC_NUMBER, or else by mass; empty if neither names one
  System system;
  // Sentences for the user that begin with the path: unknown elements, radii of another solvent.
  std::vector<std::string> notes;
};

// Throws Error as PATH:LINE: SECTION: what was expected and found.
AmberMolecule read_prmtop(const std::filesystem::path& path, ImplicitSolvent solvent);

// The same from text already in memory; `name` stands for the path in messages.
AmberMolecule parse_prmtop(std::string_view text, const std::string& name, ImplicitSolvent solvent);

}  // namespace arbg::md
