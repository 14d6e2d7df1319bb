#include "apps/pages/train_page.h"

#include <algorithm>

#include "apps/runs/train_log.h"
#include "metrics/pages/report.h"

namespace arbg::apps {
namespace {

using metrics::format_number;

metrics::Plot likelihood_plot(const TrainCurves& curves) {
  metrics::Plot plot;
  plot.title = "Negative log likelihood";
  plot.description =
      "Of the bins, per coordinate. If held out rises while training falls, the model overfits.";
  plot.x.label = "step";
  plot.y.label = "nats per coordinate";
  plot.series = {{"training batches, smoothed", curves.step, smoothed(curves.nats)},
                 {"held out", curves.held_out_step, curves.held_out_nats}};
  if (curves.held_out_step.size() < 3) plot.series[1].mark = metrics::Mark::points;
  if (curves.held_out_step.empty()) plot.series.pop_back();
  return plot;
}

metrics::Plot step_plot(const char* title, const char* description, const char* label,
                        const TrainCurves& curves, const std::vector<double>& values) {
  metrics::Plot plot;
  plot.title = title;
  plot.description = description;
  plot.x.label = "step";
  plot.y.label = label;
  plot.series = {{"", curves.step, values}};
  return plot;
}

// The first batch has no mean to be measured from: a zero in its log, which is left out.
metrics::Plot variance_plot(const TrainCurves& curves) {
  metrics::Plot plot = step_plot("Variance",
                                 "Half the mean square of log weights about their mean, large ones "
                                 "clipped: the smaller, the more samples are effective.",
                                 "variance term", curves, curves.variance);
  metrics::Series& series = plot.series.front();
  if (series.y.front() == 0) {
    series.x.erase(series.x.begin());
    series.y.erase(series.y.begin());
  }
  return plot;
}

std::string result_of(const TrainOutcome& outcome) {
  if (outcome.stopped_early) return "stopped early";
  return outcome.complete ? "complete" : "interrupted";
}

}  // namespace

std::vector<double> smoothed(std::vector<double> values) {
  for (std::size_t i = 1; i < values.size(); ++i) values[i] = 0.9 * values[i - 1] + 0.1 * values[i];
  return values;
}

void write_train_page(const std::filesystem::path& path, const TrainJob& job,
                      const TrainOutcome& outcome) {
  const TrainCurves curves = read_train_log(job.output / "train_log.jsonl");
  metrics::Report report("Training", job.output.string() + ", " + job.coordinates +
                                         " coordinates, " + std::to_string(outcome.parameters) +
                                         " parameters, " + std::to_string(outcome.frames) +
                                         " frames");
  std::vector<metrics::KeyNumber> key = {
      {"Steps", std::to_string(outcome.steps), result_of(outcome)}};
  if (outcome.held_out_frames > 0) {
    key.push_back({"Held out", format_number(outcome.held_out_nats, 5),
                   "nats per coordinate, " + std::to_string(outcome.held_out_frames) + " frames"});
  }
  if (outcome.best_step > 0) {
    key.push_back({"Best held out", format_number(outcome.best_nats, 5),
                   "at step " + std::to_string(outcome.best_step)});
  }
  if (outcome.steps > outcome.steps_before) {
    key.push_back({"Speed", format_number(outcome.samples_per_second, 3) + " samples/s",
                   format_number(outcome.gflop_per_second, 3) + " GFLOP/s"});
  }
  report.add_key_numbers(key);
  if (!curves.step.empty()) {
    report.add_heading("Curves");
    std::vector<metrics::Figure> plots = {likelihood_plot(curves)};
    plots.push_back(step_plot("Loss",
                              "What training minimises, for every logged batch. It may rise while "
                              "the weight of its variance term does.",
                              "loss per coordinate", curves, curves.loss));
    if (std::ranges::any_of(curves.variance, [](double h) { return h > 0; }))
      plots.push_back(variance_plot(curves));
    plots.push_back(step_plot("Gradient", "Its norm before clipping.", "gradient norm", curves,
                              curves.gradient_norm));
    report.add_plots(plots);
  }
  report.add_heading("Options");
  metrics::Table options({"option", "value"});
  const Json trainer = outcome.trainer.to_json();
  for (const auto& [name, value] : trainer.members())
    options.add_row({name, value.is_string() ? value.string() : value.dump()});
  report.add_table(options);
  report.save(path);
}

}  // namespace arbg::apps
