// The page of an md run: Ramachandran maps, the energy in time, convergence of every torsion,
// swaps.
#pragma once

#include <filesystem>
#include <string>

#include "apps/jobs/md_job.h"

namespace arbg::apps {

// Reads energy.npy of job.output; the rest is in `outcome`. Throws Error naming a path that cannot
// be read or written.
void write_md_page(const std::filesystem::path& path, const MdJob& job, const MdOutcome& outcome);

// "; slowest torsion ...; half of the replicas against the other half: T-W2 ...": what there is of
// it, for a line about the run.
std::string convergence_text(const sampling::Convergence& convergence);

}  // namespace arbg::apps
