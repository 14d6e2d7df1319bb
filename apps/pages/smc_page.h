// The page of a run of sequential Monte Carlo.
#pragma once

#include <filesystem>
#include <vector>

#include "apps/jobs/smc_job.h"
#include "metrics/pages/report.h"

namespace arbg::apps {

// Curves of ESS, surviving ancestors and acceptance over the stages, and log Z of the populations.
std::vector<metrics::Figure> smc_figures(bool annealed, const SmcOutcome& outcome);
void write_smc_page(const std::filesystem::path& path, const SmcJob& job,
                    const SmcOutcome& outcome);

}  // namespace arbg::apps
