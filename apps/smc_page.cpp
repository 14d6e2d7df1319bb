// The page of a run of sequential Monte Carlo.
#include "apps/smc_job.h"
#include "metrics/report.h"

namespace arbg::apps {

using metrics::format_number;

void write_smc_page(const std::filesystem::path& path, const SmcJob& job,
                    const SmcOutcome& outcome) {
  const char* method = job.annealed ? "Annealed" : "Twisted";
  metrics::Report report(std::string(method) + " sequential Monte Carlo",
                         job.sample.model.string() + ", " + std::to_string(job.smc.populations) +
                             " populations of " + std::to_string(job.smc.particles));
  report.add_key_numbers(
      {{"log Z",
        format_number(outcome.z.log_z, 7) + " +- " + format_number(outcome.z.log_z_error, 2),
        "from the scatter of the populations; unbiased for Z"},
       {"Surviving ancestors", format_number(100 * outcome.ancestors, 3) + " %",
        "of the first particles have descendants"},
       {"Energies", std::to_string(outcome.energies),
        "and " + std::to_string(outcome.partial_energies) + " of molecules partly there"}});
  metrics::Plot shares, log_z;
  shares.title = "Particles over the stages";
  shares.description =
      "Means over populations: effective share before resampling, first particles that still have "
      "descendants" +
      std::string(job.annealed ? ", moves accepted." : ".");
  shares.x.label = job.annealed ? "b, from model (0) to target (1)" : "atoms placed";
  shares.y.label = "share";
  metrics::Series ess{"effective", {}, {}}, ancestors{"ancestors", {}, {}},
      accepted{"accepted", {}, {}};
  for (const auto& stage : outcome.stages) {
    for (auto* series : {&ess, &ancestors, &accepted}) series->x.push_back(stage.at);
    ess.y.push_back(stage.ess_fraction);
    ancestors.y.push_back(stage.ancestors);
    accepted.y.push_back(stage.acceptance);
  }
  shares.series = {ess, ancestors};
  if (job.annealed) shares.series.push_back(accepted);
  log_z.title = "log Z of every population";
  log_z.description = "The mean of Z is unbiased; single estimates lie rather below it.";
  log_z.x.label = "population";
  log_z.y.label = "log Z";
  metrics::Series points, mean{"all", {}, {}, metrics::Mark::kDashed, 6};
  points.name = "one population";
  points.mark = metrics::Mark::kPoints;
  for (std::size_t p = 0; p < outcome.log_z.size(); ++p) {
    points.x.push_back(static_cast<double>(p + 1));
    points.y.push_back(outcome.log_z[p]);
    mean.x.push_back(static_cast<double>(p + 1));
    mean.y.push_back(outcome.z.log_z);
  }
  log_z.series = {points, mean};
  report.add_heading("Stages and populations");
  report.add_plots({shares, log_z});
  report.add_paragraph(
      "Samples of one population share ancestors. Average over all samples with the weights in "
      "log_weight.npy, and take errors from the scatter of the populations.");
  report.save(path);
}

}  // namespace arbg::apps
