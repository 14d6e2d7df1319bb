// Which template describes each residue of a molecule, and the bonds that follow from it.
//
// A molecule is one chain: residue r is bonded to r-1 and r+1, and by disulfide bonds. ALA at the
// start of a chain is described by NALA, at its end by CALA, elsewhere by ALA; caps (ACE, NME) by
// themselves. Of several templates (HIS: HIE, HID, HIP; CYS: CYS, CYX) the first whose atom names
// are the residue's is taken.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "md/forcefields/tables.h"
#include "md/molecule/topology.h"

namespace arbg::md {

struct TemplateMatch {
  const ResidueTemplate* residue;
  std::vector<int> template_atoms;  // of each atom of the residue, in the molecule's order
};

// One match a residue. Throws Error naming the residue and what is unknown, missing or superfluous.
std::vector<TemplateMatch> match_templates(const ForceFieldTables& tables,
                                           const Topology& topology);

// Sets elements and bonds as the templates say; the bonds between residues too. `disulfides` are
// pairs of residue indices; if they leave out exactly two residues of kind CYX, these are bonded.
// Throws likewise, and if a CYX is left alone or a pair holds another residue.
void complete_topology(Topology& topology, std::span<const std::pair<int, int>> disulfides = {});

// The templates that a residue of this name may have at this place of the chain, most likely first.
std::vector<const ResidueTemplate*> candidate_templates(const ForceFieldTables& tables,
                                                        std::string_view residue_name,
                                                        bool has_previous, bool has_next);

// The end of the sentence that refuses a residue for which there is none, with the nearest name.
std::string no_template(const ForceFieldTables& tables, std::string_view residue_name,
                        bool has_previous, bool has_next);

}  // namespace arbg::md
