#include "apps/pages/smc_page.h"

namespace arbg::apps {

using metrics::format_number;

std::vector<metrics::Figure> smc_figures(bool annealed, const SmcOutcome& outcome) {
  metrics::Plot shares, log_z;
  shares.title = "Particles over the stages";
  shares.description =
      std::string("Means over populations: ") +
      "effective share before resampling, first particles that still have descendants" +
      (annealed ? ", moves accepted." : ".");
  shares.x.label = annealed ? "b, from model (0) to target (1)" : "atoms placed";
  shares.x.low = 0;
  shares.y = {.label = "share", .low = 0, .high = 1.02};
  metrics::Series ess{"effective", {0}, {1}}, ancestors{"ancestors", {0}, {1}},
      accepted{"accepted", {}, {}};
  for (const auto& stage : outcome.stages) {
    for (auto* series : {&ess, &ancestors, &accepted}) series->x.push_back(stage.at);
    ess.y.push_back(stage.ess_fraction);
    ancestors.y.push_back(stage.ancestors);
    accepted.y.push_back(stage.acceptance);
  }
  shares.series = {ess, ancestors};
  if (annealed) shares.series.push_back(accepted);
  log_z.title = "log Z of every population";
  log_z.description =
      "Their Z are averaged. log Z of one population is on average below that of the mean, the "
      "more so the wider they scatter.";
  log_z.x.label = "population";
  log_z.y.label = "log Z less that of all";
  metrics::Series points, mean{"all", {}, {}, metrics::Mark::dashed, 6};
  points.name = "one population";
  points.mark = metrics::Mark::points;
  for (const double one : outcome.log_z) {
    const auto p = static_cast<double>(points.x.size() + 1);
    points.x.push_back(p);
    points.y.push_back(one - outcome.weights.log_z);  // not finite where every weight is 0
    mean.x.push_back(p);
    mean.y.push_back(0);
  }
  log_z.series = {points, mean};
  return {shares, log_z};
}

void write_smc_page(const std::filesystem::path& path, const SmcJob& job,
                    const SmcOutcome& outcome) {
  const char* method = job.annealed ? "Annealed" : "Twisted";
  const bool one = job.smc.populations == 1, biased = !labels(job.sample).empty();
  const std::string unbiased = biased ? "" : "unbiased for Z; ";
  metrics::Report report(std::string(method) + " sequential Monte Carlo",
                         job.sample.model.string() + ", " + std::to_string(job.smc.count) +
                             " samples of " + std::to_string(job.smc.populations) +
                             (one ? " population" : " populations"));
  std::vector<metrics::KeyNumber> numbers = {
      {"log Z", log_z_text(outcome.weights, " \u00b1 "),
       unbiased + (job.smc.independent() ? "error: from the scatter of the weights"
                   : one ? "one population gives no error, use --populations 2 or more"
                         : "error: from the scatter of the populations")},
      {"Surviving ancestors", format_number(100 * outcome.ancestors, 3) + " %",
       "of the first particles have descendants"},
      {"Energies", std::to_string(outcome.energies),
       job.annealed
           ? "of conformations, the pilot's included"
           : "and " + std::to_string(outcome.partial_energies) + " of partly grown molecules"}};
  if (!one) {
    numbers.insert(numbers.begin() + 1,
                   {"Effective populations",
                    format_number(100 * metrics::ess_fraction(outcome.log_z), 3) + " %",
                    "which are independent, by the sums of their weights"});
  }
  report.add_key_numbers(numbers);
  for (const auto& label : labels(job.sample)) report.add_paragraph(label + ".");
  report.add_heading("Stages and populations");
  report.add_plots(smc_figures(job.annealed, outcome));
  report.add_paragraph(
      job.smc.ess_threshold > 0
          ? "Samples of one population share ancestors. Average over all samples with the weights "
            "in log_weight.npy, and take errors from the scatter of the populations."
          : "Nothing was resampled: the samples are independent, with the weights in "
            "log_weight.npy.");
  report.save(path);
}

}  // namespace arbg::apps
