// The page of a refinement: effective samples and log Z by energies evaluated.
#pragma once

#include <filesystem>
#include <string>

#include "apps/jobs/refine_job.h"

namespace arbg::apps {

void write_refine_page(const std::filesystem::path& path, const RefineJob& job,
                       const RefineOutcome& outcome, const std::string& command);

}  // namespace arbg::apps
