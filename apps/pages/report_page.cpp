#include "apps/pages/report_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "apps/pages/audit_page.h"
#include "apps/pages/train_page.h"
#include "apps/pages/tuning_page.h"
#include "apps/runs/train_log.h"
#include "metrics/histogram.h"
#include "metrics/pages/report.h"

namespace arbg::apps {
namespace {

using metrics::format_number;

std::string percent(double fraction) { return format_number(100 * fraction, 3) + " %"; }

std::vector<double> finite_values(const std::vector<double>& values) {
  std::vector<double> out;
  std::ranges::copy_if(values, std::back_inserter(out), [](double v) { return std::isfinite(v); });
  return out;
}

// The value below which a fraction of the values lies.
double quantile(std::vector<double> values, double fraction) {
  const auto at = static_cast<std::size_t>(fraction * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(at));
  return values[at];
}

metrics::Plot energy_plot(const SamplesRun& samples, const sampling::Evaluation& e,
                          const Dataset& reference) {
  const auto& u = reference.reduced_energy;
  const double low = quantile(u, 0.0), high = quantile(u, 0.9999);
  const auto edges = metrics::uniform_edges(low - 2, high + 6, 80);
  metrics::Plot plot;
  plot.title = "Reduced energy";
  plot.description =
      "Reweighted samples should agree with the reference; samples as drawn may be shifted.";
  plot.x.label = "u = E/RT (kT)";
  plot.y.label = "density";
  plot.series = {metrics::histogram_series("MD reference", metrics::make_histogram(u, {}, edges),
                                           metrics::Mark::area),
                 metrics::histogram_series(
                     "as drawn", metrics::make_histogram(samples.reduced_energy, {}, edges))};
  if (e.weight_kind != sampling::WeightKind::none)
    plot.series.push_back(metrics::histogram_series(
        "reweighted", metrics::make_histogram(samples.reduced_energy, e.weight, edges)));
  plot.series[0].colour = 6;
  return plot;
}

metrics::Plot weight_plot(const SamplesRun& samples) {
  auto log_w = finite_values(samples.log_weight);
  const double middle = quantile(log_w, 0.5);
  for (auto& value : log_w) value -= middle;
  metrics::Plot plot;
  plot.title = "Log weights";
  plot.description =
      "Narrow peak: nearly every sample contributes. Long tail to the right: few samples dominate.";
  plot.x.label = "log w - median";
  plot.y.label = "density";
  plot.y.logarithmic = true;
  plot.series = {metrics::histogram_series(
      "", metrics::make_histogram(log_w, {}, log_weight_edges(std::ranges::max(log_w))))};
  return plot;
}

metrics::Plot loss_plot(const std::filesystem::path& log) {
  metrics::Plot plot;
  plot.title = "Training";
  plot.description = "Negative log likelihood of the training batches, smoothed.";
  plot.x.label = "minutes";
  plot.y.label = "nats per coordinate";
  const TrainCurves curves = read_train_log(log);
  metrics::Series series;
  series.y = smoothed(curves.nats);
  for (const double seconds : curves.seconds) series.x.push_back(seconds / 60);
  plot.series = {std::move(series)};
  return plot;
}

constexpr std::size_t kMapBins = 72, kDifferenceBins = 24;
constexpr double kLeastCount = 10;  // of effective samples and of frames in a cell of a difference

metrics::Histogram2D histogram_of(const sampling::Angles& angles, std::span<const double> weights,
                                  std::size_t bins) {
  return metrics::ramachandran(angles.phi, angles.psi, weights, bins);
}

// Reference, samples, and their difference, of one residue.
std::vector<metrics::Figure> torsion_maps(const sampling::ResidueAngles& a,
                                          const sampling::Evaluation& e) {
  const bool weighted = e.weight_kind != sampling::WeightKind::none;
  const std::span<const double> weights = weighted ? e.weight : std::span<const double>();
  constexpr const char* kMeaning = "Free energy in kT.";
  const double count = std::min(e.weights.ess, static_cast<double>(a.reference.phi.size()));
  return {metrics::ramachandran_map(a.residue + ", MD reference", kMeaning,
                                    histogram_of(a.reference, {}, kMapBins)),
          metrics::ramachandran_map(a.residue + (weighted ? ", reweighted samples" : ", samples"),
                                    kMeaning, histogram_of(a.samples, weights, kMapBins)),
          metrics::ramachandran_difference(
              a.residue + ", difference", "Samples less reference, in kT.",
              histogram_of(a.samples, weights, kDifferenceBins),
              histogram_of(a.reference, {}, kDifferenceBins), kLeastCount / count)};
}

sampling::Distance mean_total_variation(const sampling::Evaluation& e) {
  sampling::Distance sum;
  for (const auto& residue : e.angles) {
    sum.weighted += residue.total_variation.weighted;
    sum.raw += residue.total_variation.raw;
    sum.floor += residue.total_variation.floor;
  }
  const auto n = static_cast<double>(e.angles.size());
  return {sum.weighted / n, sum.raw / n, sum.floor / n};
}

// How good the weights are; nothing where samples count alike.
void add_weight_rows(const sampling::Evaluation& e, metrics::Table& table) {
  if (e.weight_kind == sampling::WeightKind::none) return;
  const auto& w = e.weights;
  const std::string samples = std::to_string(w.count) + " samples";
  if (e.populations > 0) {
    table.add_row({"effective weights (raw)", percent(w.ess_fraction), "100 % perfect",
                   "of " + samples + " that share ancestors"});
  } else {
    table.add_row(
        {"effective samples (raw)", percent(w.ess_fraction), "100 % perfect", "of " + samples});
  }
  table.add_row({"largest weight", percent(w.largest_share),
                 format_number(100.0 / static_cast<double>(w.count), 2) + " % perfect",
                 "share of a single sample"});
  if (e.populations == 0) {
    table.add_row({"Pareto k-hat", format_number(w.pareto_k, 2), "below 0.7",
                   "above: averages are unreliable"});
  }
  if (e.trim > 0) {
    table.add_row({"effective samples, trimmed", percent(e.trimmed.ess_fraction), "",
                   "biased: largest " + percent(e.trim) + " dropped"});
  }
  if (e.weight_kind == sampling::WeightKind::relative) return;
  table.add_row({"log Z", log_z_text(w, " +- ", 6),
                 e.bennett ? format_number(e.bennett->log_z, 6) + " Bennett" : "",
                 e.populations == 0 ? "log of the partition function"
                 : e.populations == 1
                     ? "one population gives no error"
                     : "error: scatter of " + std::to_string(e.populations) + " populations"});
}

std::string share_text(const metrics::Interval& share) {
  const auto in_percent = [](double x) { return format_number(100 * x, 3); };
  if (std::isnan(share.low)) return in_percent(share.estimate);
  return in_percent(share.estimate) + " (" + in_percent(share.low) + " to " +
         in_percent(share.high) + ")";
}

// Basins that any frame or sample is in.
metrics::Table basin_table(const sampling::Evaluation& e) {
  using metrics::Align;
  metrics::Table table({"residue", "basin", "samples, %", "reference, %", "difference, kT"},
                       {Align::left, Align::left, Align::right, Align::right, Align::right});
  for (const auto& residue : e.angles) {
    for (std::size_t k = 0; k < metrics::kBasins; ++k) {
      const auto& [samples, reference] = residue.basins[k];
      if (samples.estimate == 0 && reference.estimate == 0) continue;
      table.add_row(
          {residue.residue, std::string(metrics::name_of(static_cast<metrics::Basin>(k))),
           share_text(samples), share_text(reference),
           format_number(metrics::free_energy_difference(samples.estimate, reference.estimate),
                         2)});
    }
  }
  return table;
}

// Rows [n, 2] over the plane of two components.
metrics::Histogram2D plane_of(const std::vector<double>& rows, std::span<const double> weights,
                              const std::vector<double>& x_edges,
                              const std::vector<double>& y_edges) {
  std::vector<double> x, y;
  for (std::size_t i = 0; i < rows.size(); i += 2) {
    x.push_back(rows[i]);
    y.push_back(rows[i + 1]);
  }
  return metrics::make_histogram_2d(x, y, weights, x_edges, y_edges);
}

std::vector<metrics::Figure> slow_maps(const sampling::Evaluation& e) {
  constexpr std::size_t kBins = 60;
  std::array<std::vector<double>, 2> edges;
  for (std::size_t c = 0; c < 2; ++c) {
    std::vector<double> values;
    for (std::size_t i = c; i < e.slow.reference.size(); i += 2)
      values.push_back(e.slow.reference[i]);
    const auto [low, high] = std::ranges::minmax(values);
    const double margin = 0.03 * (high - low);
    edges[c] = metrics::uniform_edges(low - margin, high + margin, kBins);
  }
  const auto map = [&](const char* title, const std::vector<double>& rows,
                       std::span<const double> weights) {
    const auto histogram = plane_of(rows, weights, edges[0], edges[1]);
    metrics::HeatMap out{title,    "Free energy in kT.",    {}, {}, edges[0],
                         edges[1], histogram.free_energy(), {}};
    out.x.label = "component 1";
    out.y.label = "component 2";
    out.value = {"free energy (kT)", false, 0, 8, 0};
    return out;
  };
  const bool weighted = e.weight_kind != sampling::WeightKind::none;
  return {map("MD reference", e.slow.reference, {}),
          map(weighted ? "Reweighted samples" : "Samples", e.slow.samples,
              weighted ? std::span<const double>(e.weight) : std::span<const double>())};
}

}  // namespace

metrics::Table results_table(const sampling::Evaluation& e) {
  using metrics::Align;
  metrics::Table table({"figure", "value", "compare with", "meaning"},
                       {Align::left, Align::right, Align::left, Align::left});
  add_weight_rows(e, table);
  if (e.likelihood_frames > 0) {
    const std::string frames = std::to_string(e.likelihood_frames) + " held-out MD frames";
    table.add_row(
        {"reverse ESS", percent(e.reverse_ess_fraction), "about the ESS", "from " + frames});
    table.add_row({"held-out nats/coordinate", format_number(e.reference_nats, 5),
                   "lower is better", "mean -log q of these frames"});
  }
  const auto add_distance = [&](const char* name, const char* of, const sampling::Distance& d) {
    const bool weighted = e.weight_kind != sampling::WeightKind::none;
    table.add_row({name, format_number(d.weighted, 3), format_number(d.floor, 3) + " MD floor",
                   weighted ? std::string(of) + "; as drawn " + format_number(d.raw, 3) : of});
  };
  add_distance("E-W2 (kT)", "energies", e.energy_w2_kt);
  add_distance("T-W2 (rad)", "torsions", e.torsion_w2_rad);
  if (!e.slow.timescales.empty()) {
    add_distance("TICA-W2", "slowest motions", e.slow.w2);
    add_distance("JSD", "20 clusters of these", e.slow.jsd);
  }
  if (!e.slow.why_not.empty()) table.add_row({"TICA-W2, JSD", "left out", "", e.slow.why_not});
  if (!e.angles.empty())
    add_distance("Ramachandran TV", "mean of residues", mean_total_variation(e));
  return table;
}

metrics::Table published_table() {
  metrics::Table table({"published (200,000 energies)", "E-W2 (kT)", "T-W2 (rad)"});
  table.add_row({"AAA", "0.202", "0.312"});
  table.add_row({"Ace-AAA-Nme", "0.449", "0.592"});
  table.add_row({"AAAAAA", "0.328", "1.094"});
  table.add_row({"chignolin", "1.723", "2.632"});
  return table;
}

namespace {

std::vector<metrics::KeyNumber> key_numbers(const sampling::Evaluation& e) {
  std::vector<metrics::KeyNumber> out;
  if (e.weight_kind != sampling::WeightKind::none && e.populations == 0) {
    out = {{"Effective samples", percent(e.weights.ess_fraction), "raw weights"},
           {"Pareto k-hat", format_number(e.weights.pareto_k, 2), "reliable below 0.7"}};
  } else if (e.populations > 0) {
    out = {
        {"Effective weights", percent(e.weights.ess_fraction), "of samples that share ancestors"},
        {"log Z", log_z_text(e.weights, " \u00b1 "),
         e.populations == 1 ? "one population gives no error"
                            : "from the scatter of the populations"}};
  }
  out.push_back({"E-W2", format_number(e.energy_w2_kt.weighted, 3) + " kT",
                 "MD against MD " + format_number(e.energy_w2_kt.floor, 3)});
  out.push_back({"T-W2", format_number(e.torsion_w2_rad.weighted, 3) + " rad",
                 "MD against MD " + format_number(e.torsion_w2_rad.floor, 3)});
  return out;
}

}  // namespace

void write_report(const std::filesystem::path& path, const ReportInput& input) {
  const sampling::Evaluation& e = *input.evaluation;
  const bool smc = e.populations > 0, weighted = e.weight_kind != sampling::WeightKind::none;
  metrics::Report report(input.title, input.subtitle);
  report.add_key_numbers(key_numbers(e));
  report.add_heading("Results");
  report.add_paragraph(
      std::string(e.weight_kind == sampling::WeightKind::absolute
                      ? "The network draws samples and states the exact density q of each; weights "
                        "exp(-u)/q turn averages over them into averages over the Boltzmann "
                        "distribution. "
                      : "") +
      "Every distance stands beside its floor: the same distance between independent halves of the "
      "reference.");
  report.add_table(results_table(e), "Distances compare " + std::to_string(e.points) +
                                         " samples with as many MD frames.");
  if (!e.angles.empty()) {
    report.add_heading("Backbone torsions");
    report.add_paragraph(
        "Differences: orange where samples have less than the reference, purple where they have "
        "more. Cells of 15 degrees with fewer than 10 frames or effective samples are left empty.");
  }
  for (const auto& residue : e.angles) report.add_small_plots(torsion_maps(residue, e));
  if (!e.angles.empty()) {
    report.add_table(basin_table(e),
                     "Shares of the basins, with intervals of 95 %: by bootstrap over a hundred "
                     "parts of the samples, over populations or over replicas. None: fewer than "
                     "ten of these weigh something.");
  }
  if (!e.slow.timescales.empty()) {
    report.add_heading("Slowest motions");
    report.add_paragraph(
        "The first two time-lagged independent components of the reference (distances between "
        "atoms C, N and S; phi, psi and omega), onto which samples are projected. Frames of "
        "tempered dynamics lose their memory faster than a molecule does.");
    report.add_small_plots(slow_maps(e));
  }
  report.add_heading(weighted ? "Energies, weights and training" : "Energies");
  std::vector<metrics::Figure> figures{energy_plot(*input.samples, e, *input.reference)};
  if (weighted) figures.push_back(weight_plot(*input.samples));
  const auto& tuning = input.samples->file.tuning;
  if (tuning) figures.push_back(tuning_plot(*tuning));
  if (!input.train_log.empty()) figures.push_back(loss_plot(input.train_log));
  report.add_plots(figures);
  if (!input.budgets.empty()) add_budgets(input.budgets, report);
  if (smc) {
    report.add_heading("Sequential Monte Carlo");
    report.add_plots(input.smc_figures);
  }
  if (input.audit != nullptr) {
    report.add_heading("Audit");
    add_audit(report, *input.audit);
  }
  report.add_heading("Published results");
  report.add_paragraph(
      "The published generator on its own molecules (Rehman et al., Autoregressive Boltzmann "
      "Generators, 2026). They are larger than alanine dipeptide, so the numbers are not directly "
      "comparable.");
  report.add_table(published_table());
  report.add_heading("What ran");
  metrics::Table facts({"step", "result"}, {metrics::Align::left, metrics::Align::left});
  for (const auto& [what, result] : input.facts) facts.add_row({what, result});
  report.add_table(facts);
  report.add_details("Make this page again", input.command);
  report.save(path);
}

}  // namespace arbg::apps
