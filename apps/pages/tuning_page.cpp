#include "apps/pages/tuning_page.h"

#include <cmath>

namespace arbg::apps {

metrics::Table tuning_table(const sampling::TemperatureTuning& tuning) {
  metrics::Table table({"temperature", "effective (%)", "+-", ""});
  for (const auto& point : tuning.curve) {
    table.add_row(
        {metrics::format_number(point.temperature, 3),
         metrics::format_number(100 * point.ess_fraction, 3),
         metrics::format_number(100 * point.error, 2),
         std::abs(point.temperature - tuning.temperature) < 0.011 ? "near the choice" : ""});
  }
  return table;
}

metrics::Plot tuning_plot(const sampling::TemperatureTuning& tuning) {
  metrics::Plot plot;
  plot.title = "Sampling temperature";
  plot.description = "Effective samples of " + std::to_string(tuning.pilot) +
                     " pilot samples at each temperature, and one standard error; " +
                     metrics::format_number(tuning.temperature, 3) + " was chosen.";
  plot.x.label = "sampling temperature";
  plot.y.label = "effective samples (%)";
  metrics::Series line, low, high;
  for (const auto& point : tuning.curve) {
    for (auto* series : {&line, &low, &high}) series->x.push_back(point.temperature);
    line.y.push_back(100 * point.ess_fraction);
    low.y.push_back(100 * (point.ess_fraction - point.error));
    high.y.push_back(100 * (point.ess_fraction + point.error));
  }
  line.colour = 0;
  low.mark = high.mark = metrics::Mark::dashed;
  low.colour = high.colour = 6;
  plot.series = {std::move(low), std::move(high), std::move(line)};
  return plot;
}

}  // namespace arbg::apps
