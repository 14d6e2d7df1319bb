// The figures of an evaluation as tables, each figure with what to compare it with: for the
// terminal and the page.
#pragma once

#include <string>

#include "metrics/pages/table.h"
#include "sampling/evaluation/evaluation.h"

namespace arbg::apps {

std::string percent(double fraction);  // "71.2 %"

// "0.231 (0.21 to 0.26)", the limits with a digit less; the number alone without an interval.
std::string interval_text(const metrics::Interval& figure, int digits);

// What intervals are, and which figures have none and why.
std::string interval_note();

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
