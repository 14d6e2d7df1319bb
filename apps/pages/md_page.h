// The page of an md run: Ramachandran maps, the energy in time, convergence of every torsion,
// swaps.
#pragma once

#include <filesystem>

#include "apps/jobs/md_job.h"

namespace arbg::apps {

// Reads energy.npy of job.output; the rest is in `outcome`. Throws Error naming a path that cannot
// be read or written.
void write_md_page(const std::filesystem::path& path, const MdJob& job, const MdOutcome& outcome);

}  // namespace arbg::apps
