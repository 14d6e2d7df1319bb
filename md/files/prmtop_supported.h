// Which sections a prmtop file may have: what adds to the energy and is not read is refused by
// name.
#pragma once

#include "md/files/prmtop_sections.h"

namespace arbg::md {

// Throws Error naming the section: of a kind that is not supported, or of unknown meaning.
void check_supported(const PrmtopSections& file);

}  // namespace arbg::md
