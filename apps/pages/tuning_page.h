// The choice of a sampling temperature on paper: a table for the terminal, a plot for the report.
#pragma once

#include "metrics/pages/svg_plot.h"
#include "metrics/pages/table.h"
#include "sampling/proposals/tuning.h"

namespace arbg::apps {

metrics::Table tuning_table(const sampling::TemperatureTuning& tuning);
metrics::Plot tuning_plot(const sampling::TemperatureTuning& tuning);

}  // namespace arbg::apps
