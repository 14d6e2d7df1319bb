// Residue and atom names as other programs write them become those of the residue templates.
//
// Tried for each residue: the names as they stand; then with leading digits at the end (1HB is
// HB1), with the synonyms of CHARMM, GROMACS, older PDB and AMBER files (HN, HT1, OT1, OC2, HSD, CD
// of ILE, ...), H1 and H2 of a CH2 for H3 and H2, as OpenMM does. Every atom must find one place of
// one template: elements, distances and order say nothing. Atoms keep their order.
#pragma once

#include <string>
#include <string_view>

#include "md/topology.h"

namespace arbg::md {

// Renames residues and atoms in place. Throws Error that names, in one sentence, every atom of the
// whole molecule that is missing, superfluous or there twice, or a residue that is unknown.
void adopt_template_names(Topology& topology);

// Is this what files call water?
bool is_water(std::string_view residue_name);

}  // namespace arbg::md
