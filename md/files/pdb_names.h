// Residue and atom names as other programs write them become those of the residue templates.
//
// Tried for each residue: the names as they stand; then with leading digits at the end (1HB is
// HB1), with the synonyms of md/forcefields/known_names.h (HN, HT1, OT1, OC2, HSD, CD of ILE, ...),
// H1 and H2 of a CH2 for H3 and H2, as OpenMM does. Every atom must find one place of one template:
// elements, distances and order say nothing. Atoms keep their order. CHARMM's patches leave the
// atoms of caps (CAY, NT, ...) in the first and the last amino acid: those become residues of their
// own.
#pragma once

#include "md/molecule/topology.h"

namespace arbg::md {

// Renames residues and atoms in place. Throws Error that names, in one sentence, every atom of the
// whole molecule that is missing, superfluous or there twice, or a residue that is unknown, and the
// nearest supported names.
void adopt_template_names(Topology& topology);

}  // namespace arbg::md
