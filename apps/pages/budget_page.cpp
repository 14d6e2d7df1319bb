#include "apps/pages/budget_page.h"

#include <cmath>

#include "apps/pages/evaluation_tables.h"
#include "apps/runs/results_json.h"
#include "metrics/format_number.h"

namespace arbg::apps {
namespace {

using metrics::format_number;

metrics::Plot plot_of(const std::vector<BudgetCurve>& curves, const PublishedFigures& published,
                      const char* title, const char* unit,
                      sampling::Distance BudgetPoint::*distance, double PublishedPoint::*figure) {
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
      series.y.push_back((point.*distance).weighted.estimate);
      floor.y.push_back((point.*distance).floor.estimate);
    }
    floor.x = series.x;
    plot.series.push_back(std::move(series));
    plot.series.push_back(std::move(floor));
  }
  for (const auto& [name, points] : published.curves) {
    metrics::Series series;
    series.name = name;
    series.colour = colour++ % 6;
    series.mark = metrics::Mark::points;
    for (const PublishedPoint& point : points) {
      series.x.push_back(static_cast<double>(point.energies));
      series.y.push_back(point.*figure);
    }
    plot.series.push_back(std::move(series));
  }
  return plot;
}

}  // namespace

metrics::Table budget_table(const std::vector<BudgetCurve>& curves,
                            const PublishedFigures& published) {
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
           interval_text(p.energy_w2_kt.weighted, 3), interval_text(p.energy_w2_kt.floor, 3),
           interval_text(p.torsion_w2_rad.weighted, 3), interval_text(p.torsion_w2_rad.floor, 3)});
    }
  }
  for (const auto& [name, points] : published.curves) {
    for (const PublishedPoint& p : points) {
      table.add_row({name, std::to_string(p.energies), "", "", "", format_number(p.energy_w2_kt, 3),
                     "", format_number(p.torsion_w2_rad, 3), ""});
    }
  }
  return table;
}

void add_budgets(const std::vector<BudgetCurve>& curves, const PublishedFigures& published,
                 metrics::Report& report) {
  report.add_heading("Accuracy against energies");
  report.add_paragraph(
      "What the first samples give that took no more than so many energies: one for each sample of "
      "a network, and of dynamics one for each step of each temperature, the warm-up included.");
  report.add_paragraph(published.note);
  report.add_plots({plot_of(curves, published, "E-W2 by energies", "E-W2 (kT)",
                            &BudgetPoint::energy_w2_kt, &PublishedPoint::energy_w2_kt),
                    plot_of(curves, published, "T-W2 by energies", "T-W2 (rad)",
                            &BudgetPoint::torsion_w2_rad, &PublishedPoint::torsion_w2_rad)});
  report.add_table(budget_table(curves, published));
}

Json to_json(const std::vector<BudgetPoint>& points) {
  Json out = Json::list();
  for (const BudgetPoint& p : points) {
    Json one = Json::object();
    one["energies"] = p.energies;
    one["samples"] = p.samples;
    one["points"] = p.points;
    if (p.ess > 0) one["ess"] = p.ess;
    add_figure(one, "energy_w2_kt", p.energy_w2_kt.weighted);
    add_figure(one, "energy_w2_floor_kt", p.energy_w2_kt.floor);
    add_figure(one, "torsion_w2_rad", p.torsion_w2_rad.weighted);
    add_figure(one, "torsion_w2_floor_rad", p.torsion_w2_rad.floor);
    out.push_back(std::move(one));
  }
  return out;
}

Json to_json(const PublishedFigures& published) {
  Json out = Json::object();
  out["note"] = published.note;
  Json& curves = out["curves"] = Json::list();
  for (const auto& [name, points] : published.curves) {
    Json one = Json::object();
    one["name"] = name;
    Json& list = one["points"] = Json::list();
    for (const PublishedPoint& p : points) {
      Json point = Json::object();
      point["energies"] = p.energies;
      point["energy_w2_kt"] = p.energy_w2_kt;
      point["torsion_w2_rad"] = p.torsion_w2_rad;
      if (!std::isnan(p.tica_w2)) point["tica_w2"] = p.tica_w2;
      list.push_back(std::move(point));
    }
    curves.push_back(std::move(one));
  }
  return out;
}

}  // namespace arbg::apps
