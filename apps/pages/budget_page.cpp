#include "apps/pages/budget_page.h"

#include "metrics/format_number.h"

namespace arbg::apps {
namespace {

using metrics::format_number;

metrics::Plot plot_of(const std::vector<BudgetCurve>& curves, const char* title, const char* unit,
                      sampling::Distance BudgetPoint::*distance) {
  metrics::Plot plot;
  plot.title = title;
  plot.description = "Dashed: the floor of as many points of the reference.";
  plot.x = {"energies", true};
  plot.y = {unit, true};
  int colour = 0;
  for (const auto& [name, points] : curves) {
    metrics::Series series, floor;
    series.name = name;
    series.colour = floor.colour = colour++ % 6;
    floor.mark = metrics::Mark::dashed;
    for (const BudgetPoint& point : points) {
      series.x.push_back(static_cast<double>(point.energies));
      series.y.push_back((point.*distance).weighted);
      floor.y.push_back((point.*distance).floor);
    }
    floor.x = series.x;
    plot.series.push_back(std::move(series));
    plot.series.push_back(std::move(floor));
  }
  return plot;
}

}  // namespace

metrics::Table budget_table(const std::vector<BudgetCurve>& curves) {
  using metrics::Align;
  metrics::Table table({"samples", "energies", "of them", "ESS", "points", "E-W2 (kT)", "floor",
                        "T-W2 (rad)", "floor"},
                       {Align::left, Align::right, Align::right, Align::right, Align::right,
                        Align::right, Align::right, Align::right, Align::right});
  for (const auto& [name, points] : curves) {
    for (const BudgetPoint& p : points) {
      table.add_row(
          {name, std::to_string(p.energies), std::to_string(p.samples),
           p.ess > 0 ? format_number(p.ess, 3) : "", std::to_string(p.points),
           format_number(p.energy_w2_kt.weighted, 3), format_number(p.energy_w2_kt.floor, 3),
           format_number(p.torsion_w2_rad.weighted, 3), format_number(p.torsion_w2_rad.floor, 3)});
    }
  }
  return table;
}

void add_budgets(const std::vector<BudgetCurve>& curves, metrics::Report& report) {
  report.add_heading("Accuracy against energies");
  report.add_paragraph(
      "What the first samples give that took no more than so many energies: one for each sample of "
      "a network, and of dynamics one for each step of each temperature, the warm-up included.");
  report.add_plots(
      {plot_of(curves, "E-W2 by energies", "E-W2 (kT)", &BudgetPoint::energy_w2_kt),
       plot_of(curves, "T-W2 by energies", "T-W2 (rad)", &BudgetPoint::torsion_w2_rad)});
  report.add_table(budget_table(curves));
}

Json to_json(const std::vector<BudgetPoint>& points) {
  Json out = Json::list();
  for (const BudgetPoint& p : points) {
    Json one = Json::object();
    one["energies"] = p.energies;
    one["samples"] = p.samples;
    one["points"] = p.points;
    if (p.ess > 0) one["ess"] = p.ess;
    one["energy_w2_kt"] = p.energy_w2_kt.weighted;
    one["energy_w2_floor_kt"] = p.energy_w2_kt.floor;
    one["torsion_w2_rad"] = p.torsion_w2_rad.weighted;
    one["torsion_w2_floor_rad"] = p.torsion_w2_rad.floor;
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace arbg::apps
