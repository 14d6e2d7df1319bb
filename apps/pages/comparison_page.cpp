#include "apps/pages/comparison_page.h"

#include <algorithm>

#include "metrics/format_number.h"
#include "metrics/pages/report.h"
#include "metrics/statistics/histogram.h"

namespace arbg::apps {
namespace {

using metrics::format_number;

constexpr std::size_t kMostCurves = 6;  // as there are colours

metrics::Plot energy_plot(const std::vector<ComparedSamples>& all,
                          const std::vector<double>& reference) {
  const auto [low, high] = std::ranges::minmax(reference);
  const auto edges = metrics::uniform_edges(low - 2, high + 6, 80);
  metrics::Plot plot;
  plot.title = "Reduced energy";
  plot.description = "Samples with their weights should agree with the reference.";
  plot.x.label = "u = E/RT (kT)";
  plot.y.label = "density";
  plot.series = {metrics::histogram_series(
      "reference", metrics::make_histogram(reference, {}, edges), metrics::Mark::area)};
  plot.series[0].colour = 6;
  for (const ComparedSamples& one : all) {
    if (plot.series.size() > kMostCurves) break;
    plot.series.push_back(metrics::histogram_series(
        one.name, metrics::make_histogram(one.reduced_energy, one.evaluation.weight, edges)));
  }
  return plot;
}

}  // namespace

metrics::Table comparison_table(const std::vector<ComparedSamples>& all) {
  using metrics::Align;
  metrics::Table table(
      {"samples", "raw ESS, %", "k-hat", "points", "E-W2 (kT)", "floor", "T-W2 (rad)", "floor",
       "TICA-W2", "floor", "JSD", "floor"},
      {Align::left, Align::right, Align::right, Align::right, Align::right, Align::right,
       Align::right, Align::right, Align::right, Align::right, Align::right, Align::right});
  for (const ComparedSamples& one : all) {
    const auto& e = one.evaluation;
    const bool weighted = e.weight_kind != sampling::WeightKind::none;
    std::vector<std::string> row = {
        one.name, weighted ? format_number(100 * e.weights.ess_fraction, 3) : "",
        weighted && e.populations == 0 ? format_number(e.weights.pareto_k, 2) : "",
        std::to_string(e.points)};
    const auto add = [&](const sampling::Distance& distance, bool known) {
      row.push_back(known ? format_number(distance.weighted.estimate, 3) : "");
      row.push_back(known ? format_number(distance.floor.estimate, 3) : "");
    };
    add(e.energy_w2_kt, true);
    add(e.torsion_w2_rad, true);
    add(e.slow.w2, !e.slow.timescales.empty());
    add(e.slow.jsd, !e.slow.timescales.empty());
    table.add_row(std::move(row));
  }
  return table;
}

std::vector<BudgetCurve> curves_of(const std::vector<ComparedSamples>& all) {
  std::vector<BudgetCurve> curves;
  for (const ComparedSamples& one : all)
    if (!one.budgets.empty()) curves.push_back({one.name, one.budgets});
  return curves;
}

void write_comparison(const std::filesystem::path& path, const std::vector<ComparedSamples>& all,
                      const std::vector<double>& reference_energy,
                      const PublishedFigures& published, const std::string& reference,
                      const std::string& command) {
  metrics::Report report("Samples against molecular dynamics",
                         std::to_string(all.size()) + " sets against " + reference);
  report.add_heading("Results");
  report.add_paragraph(
      "A distance is only news above its floor, the same distance between as many points of "
      "independent halves of the reference; a difference between two sets only beyond the scatter "
      "of seeds, and at the same number of points. Intervals are in evaluation.json.");
  report.add_table(comparison_table(all));
  for (const ComparedSamples& one : all) {
    for (const std::string& label : one.labels)
      report.add_paragraph("Weights of " + one.name + ": " + label + ".");
  }
  report.add_heading("Energies");
  report.add_plot(energy_plot(all, reference_energy));
  const auto curves = curves_of(all);
  if (!curves.empty()) add_budgets(curves, published, report);
  report.add_details("Make this page again", command);
  report.save(path);
}

}  // namespace arbg::apps
