// The page of arbg view: a molecule to turn, and what was chosen to be seen.
#pragma once

#include <filesystem>

#include "apps/jobs/view_job.h"

namespace arbg::apps {

void write_view_page(const std::filesystem::path& path, const View& view);

}  // namespace arbg::apps
