// The figures of an evaluation as tables, each figure with what to compare it with: for the
// terminal and the page.
#pragma once

#include <string>

#include "metrics/pages/table.h"
#include "sampling/evaluation/evaluation.h"

namespace arbg::apps {

std::string percent(double fraction);  // "71.2 %"

// The main figures, and of each group of spreads the one that is farthest above its floor.
metrics::Table results_table(const sampling::Evaluation& evaluation);

// Of every residue: shares of its basins, and free energies above the basin of most frames.
metrics::Table basin_table(const sampling::Evaluation& evaluation);
metrics::Table free_energy_table(const sampling::Evaluation& evaluation);

// Every spread with its floor.
metrics::Table spread_table(const sampling::Evaluation& evaluation);

// E-W2 and T-W2 of the published generator on its own molecules, to read ours beside.
metrics::Table published_table();

}  // namespace arbg::apps
