#include "apps/pages/refine_page.h"

#include <algorithm>
#include <cmath>

#include "apps/cli/command_line.h"
#include "metrics/pages/report.h"

namespace arbg::apps {
namespace {

using metrics::format_number;

metrics::Plot plot_of(const RefineOutcome& outcome, const char* title, const char* description,
                      const char* label, double (*value)(const sampling::RefinementRound&)) {
  metrics::Plot plot;
  plot.title = title;
  plot.description = description;
  plot.x.label = "energies evaluated";
  plot.y.label = label;
  metrics::Series series;
  for (const auto& round : outcome.history) {
    series.x.push_back(static_cast<double>(round.energies));
    series.y.push_back(value(round));
  }
  plot.series = {std::move(series)};
  return plot;
}

}  // namespace

void write_refine_page(const std::filesystem::path& path, const RefineJob& job,
                       const RefineOutcome& outcome, const std::string& command) {
  const auto& w = outcome.weights;
  metrics::Report report("Refinement", job.model.empty()
                                           ? job.sequence + ", " + job.forcefield + ", " +
                                                 format_number(job.temperature_kelvin, 4) +
                                                 " K, from the force field alone"
                                           : "from " + job.model.string());
  report.add_key_numbers(
      {{"Effective samples", format_number(100 * w.ess_fraction, 3) + " %",
        "raw weights of " + std::to_string(w.count) + " fresh samples"},
       {"Pareto k-hat", format_number(w.pareto_k, 2), "reliable below 0.7"},
       {"Energies", std::to_string(outcome.energies),
        "evaluated in " + std::to_string(outcome.rounds) + " rounds, " +
            format_duration(outcome.seconds)},
       {"log Z", format_number(w.log_z, 7), "\u00b1 " + format_number(w.log_z_error, 2)}});
  const nn::TrainerOptions& trainer = outcome.trainer;
  const double most = std::max(trainer.variance_weight, trainer.variance_weight_most);
  report.add_paragraph(std::string("Trained with the optimizer ") + nn::name_of(trainer.optimizer) +
                       " and a variance weight of " + format_number(trainer.variance_weight, 3) +
                       (most > trainer.variance_weight ? " to " + format_number(most, 3) : "") +
                       ".");
  report.add_paragraph(
      "Walkers start as samples of the model. Two Metropolis rules, both in detailed balance with "
      "the target, move them: Langevin moves, and exchange for fresh samples of the model. The "
      "model learns from the walkers. The curves are of each round's fresh samples with raw "
      "weights, before anything was trained on them; energies count all evaluations, those of "
      "moves included. None of these figures can see a mode that neither model nor walkers ever "
      "reach: compare with molecular dynamics by arbg evaluate.");
  metrics::Plot variance = plot_of(
      outcome, "Log variance", "Huber loss of log q - log target over the training batches.",
      "nats squared", [](const sampling::RefinementRound& r) { return r.variance; });
  variance.y.logarithmic = true;
  report.add_plots(
      {plot_of(outcome, "Effective samples", "Of each round's fresh samples, raw weights.",
               "effective samples (%)",
               [](const sampling::RefinementRound& r) { return 100 * r.weights.ess_fraction; }),
       plot_of(outcome, "Exchanges accepted",
               "Share of fresh samples that walkers took; exchange equilibrates the populations of "
               "basins.",
               "accepted (%)",
               [](const sampling::RefinementRound& r) { return 100 * r.exchanged; }),
       plot_of(outcome, "log Z", "Should become flat; jumps show that modes were found or lost.",
               "log Z", [](const sampling::RefinementRound& r) { return r.weights.log_z; }),
       variance});
  report.add_details("Make this page again", command);
  report.save(path);
}

}  // namespace arbg::apps
