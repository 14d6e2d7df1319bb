// The log of a refinement: rounds.jsonl, one JSON object a round.
#pragma once

#include <filesystem>
#include <vector>

#include "sampling/training/refinement.h"

namespace arbg::apps {

// The first `rounds` lines, or fewer if the file has fewer; none without a file.
std::vector<sampling::RefinementRound> read_refine_log(const std::filesystem::path& path,
                                                       std::int64_t rounds);
void write_refine_log(const std::filesystem::path& path,
                      const std::vector<sampling::RefinementRound>& history);

}  // namespace arbg::apps
