#include "apps/pages/evaluation_pictures.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "apps/pages/audit_page.h"
#include "metrics/statistics/histogram.h"
#include "metrics/weights/weights.h"

namespace arbg::apps {
namespace {

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

}  // namespace

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

namespace {

// Numbers of samples, each twice the one before, and all of them.
std::vector<std::size_t> growing_counts(std::size_t all) {
  std::vector<std::size_t> out;
  for (std::size_t n = 50; n < all; n *= 2) out.push_back(n);
  out.push_back(all);
  return out;
}

// A figure of the first n samples by n, and what it would be at best or at worst, dashed.
metrics::Plot growing_plot(const SamplesRun& samples, double (*figure)(std::span<const double>),
                           double (*bound)(std::size_t)) {
  metrics::Plot plot;
  plot.x = {"first samples", true};
  metrics::Series found, limit;
  for (const std::size_t n : growing_counts(samples.log_weight.size())) {
    found.x.push_back(static_cast<double>(n));
    found.y.push_back(figure(std::span(samples.log_weight).first(n)));
    limit.y.push_back(bound(n));
  }
  limit.x = found.x;
  limit.mark = metrics::Mark::dashed;
  limit.colour = 6;
  plot.series = {std::move(found), std::move(limit)};
  return plot;
}

}  // namespace

metrics::Plot effective_samples_plot(const SamplesRun& samples) {
  auto plot = growing_plot(
      samples,
      [](std::span<const double> w) {
        return metrics::ess_fraction(w) * static_cast<double>(w.size());
      },
      [](std::size_t n) { return static_cast<double>(n); });
  plot.title = "Effective samples by samples";
  plot.description =
      "A straight line means that more samples are worth more; steps down, that a few heavy ones "
      "came. Dashed: all weights equal.";
  plot.y = {"effective samples", true};
  return plot;
}

metrics::Plot pareto_k_plot(const SamplesRun& samples) {
  auto plot = growing_plot(samples, metrics::pareto_k, [](std::size_t) { return 0.7; });
  plot.title = "Pareto k-hat by samples";
  plot.description = "Above the dashed line, 0.7, averages over the weights are unreliable.";
  plot.y.label = "k-hat";
  return plot;
}

namespace {

constexpr std::size_t kMapBins = 72, kDifferenceBins = 24;
constexpr double kLeastCount = 10;  // of effective samples and of frames in a cell of a difference

metrics::Histogram2D histogram_of(const sampling::Angles& angles, std::span<const double> weights,
                                  std::size_t bins) {
  return metrics::ramachandran(angles.phi, angles.psi, weights, bins);
}

}  // namespace

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
              a.residue + ", difference",
              "Samples less reference, in kT. Total variation " +
                  metrics::format_number(a.total_variation.weighted.estimate, 3) + ", floor " +
                  metrics::format_number(a.total_variation.floor.estimate, 3) + ".",
              histogram_of(a.samples, weights, kDifferenceBins),
              histogram_of(a.reference, {}, kDifferenceBins), kLeastCount / count)};
}

namespace {

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

}  // namespace

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

metrics::Plot spread_plot(const sampling::Spread& spread, const sampling::Evaluation& e) {
  const auto series = [&](const char* name, const std::vector<double>& mass, metrics::Mark mark) {
    return metrics::histogram_series(name, {spread.edges, mass, 0}, mark);
  };
  metrics::Plot plot;
  plot.title =
      spread.name + (spread.group == "bonds" || spread.group == "angles" ? " " + spread.group : "");
  plot.description = "JSD " + metrics::format_number(spread.jsd.weighted.estimate, 2) + ", floor " +
                     metrics::format_number(spread.jsd.floor.estimate, 2) + ".";
  plot.x.label = spread.unit.empty() ? "number" : spread.unit;
  if (spread.group == "omega" || spread.group == "chi") plot.x.tick_step = 90;
  plot.y.label = "density";
  plot.series = {series("MD reference", spread.reference, metrics::Mark::area)};
  plot.series[0].colour = 6;
  if (e.weight_kind == sampling::WeightKind::none) {
    plot.series.push_back(series("samples", spread.samples, metrics::Mark::step));
  } else {
    plot.series.push_back(series("as drawn", spread.drawn, metrics::Mark::step));
    plot.series.push_back(series("reweighted", spread.samples, metrics::Mark::step));
  }
  return plot;
}

}  // namespace arbg::apps
