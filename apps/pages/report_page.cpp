#include "apps/pages/report_page.h"

#include "apps/pages/audit_page.h"
#include "apps/pages/evaluation_pictures.h"
#include "apps/pages/evaluation_tables.h"
#include "apps/pages/train_page.h"
#include "apps/pages/tuning_page.h"
#include "apps/pages/viewer.h"
#include "apps/runs/train_log.h"
#include "metrics/pages/report.h"

namespace arbg::apps {
namespace {

using metrics::format_number;

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
  out.push_back({"E-W2", format_number(e.energy_w2_kt.weighted.estimate, 3) + " kT",
                 "MD against MD " + format_number(e.energy_w2_kt.floor.estimate, 3)});
  out.push_back({"T-W2", format_number(e.torsion_w2_rad.weighted.estimate, 3) + " rad",
                 "MD against MD " + format_number(e.torsion_w2_rad.floor.estimate, 3)});
  return out;
}

// The heaviest samples, or frames in time, to turn.
void add_conformations(const SamplesRun& samples, metrics::Report& report) {
  constexpr std::int64_t kShown = 40;
  const View view = view_of_samples(samples, kShown);
  report.add_heading("Conformations");
  report.add_markup(viewer(view));
  report.add_paragraph(view.notes.front() + " They are laid over " + view.reference_name +
                       ", heavy atom by heavy atom. More of them, and how they grow: arbg view.");
}

void add_backbone(const sampling::Evaluation& e, metrics::Report& report) {
  if (e.angles.empty()) return;
  report.add_heading("Backbone torsions");
  report.add_paragraph(
      "Differences: orange where samples have less than the reference, purple where they have "
      "more. Cells of 15 degrees with fewer than 10 frames or effective samples are left empty.");
  for (const auto& residue : e.angles) report.add_small_plots(torsion_maps(residue, e));
  report.add_table(
      basin_table(e),
      "Shares of the basins, with intervals of 95 %. Where there is none in a basin, up "
      "to what its share can be at most: as many draws as samples are effective, or "
      "dynamics has replicas, have not met it.");
  report.add_table(free_energy_table(e),
                   "Differences of free energy between a basin and the one that most frames are "
                   "in, with the same intervals; infinite where it is empty. The last column is "
                   "samples less reference: they differ where its interval does not hold 0.");
}

void add_slow_motions(const sampling::Evaluation& e, metrics::Report& report) {
  if (e.slow.timescales.empty()) return;
  report.add_heading("Slowest motions");
  report.add_paragraph(
      "The first two time-lagged independent components of the reference (distances between "
      "atoms C, N and S; phi, psi and omega), onto which samples are projected. Frames of "
      "tempered dynamics lose their memory faster than a molecule does.");
  report.add_small_plots(slow_maps(e));
}

void add_spreads(const sampling::Evaluation& e, metrics::Report& report) {
  if (e.spreads.empty()) return;
  report.add_heading("Size, side chains, bonds and angles");
  report.add_paragraph(
      "The radius of gyration is that of the heavy atoms; hydrogen bonds are those of Baker and "
      "Hubbard (1984); bonds and angles are taken together by the elements of their atoms. Of "
      "each, the Jensen-Shannon divergence of samples and reference, from 0 to 1, beside that of "
      "the two halves of the reference.");
  std::vector<metrics::Figure> figures;
  for (const auto& spread : e.spreads) figures.push_back(spread_plot(spread, e));
  report.add_small_plots(figures);
  report.add_table(spread_table(e),
                   "Divergences with intervals of 95 %. Above the floor: where the two intervals "
                   "have nothing in common.");
}

std::string what_weights_are(const SamplesRun& samples, const sampling::Evaluation& e) {
  if (e.weight_kind != sampling::WeightKind::absolute) return "";
  if (samples.file.decoding.biased()) return std::string(sampling::kTruncated) + ". ";
  const auto& smc = samples.file.smc;
  if (!smc)
    return "The network draws samples and states the exact density q of each; weights exp(-u)/q "
           "turn averages over them into averages over the Boltzmann distribution. ";
  return std::string("Samples are particles of ") + (smc->annealed ? "annealed" : "twisted") +
         " sequential Monte Carlo, whose first particles the network draws; their weights turn "
         "averages over them "
         "into averages over the Boltzmann distribution. ";
}

}  // namespace

void write_report(const std::filesystem::path& path, const ReportInput& input) {
  const sampling::Evaluation& e = *input.evaluation;
  const bool smc = e.populations > 0, weighted = e.weight_kind != sampling::WeightKind::none;
  metrics::Report report(input.title, input.subtitle);
  report.add_key_numbers(key_numbers(e));
  report.add_heading("Results");
  report.add_paragraph(
      what_weights_are(*input.samples, e) +
      "Every distance stands beside its floor: the same distance between independent halves of the "
      "reference. " +
      e.agreement.sentence(" of the reference") + ".");
  report.add_table(results_table(e), "Distances compare " + std::to_string(e.points) +
                                         " samples with as many MD frames. " + interval_note());
  add_conformations(*input.samples, report);
  add_backbone(e, report);
  add_slow_motions(e, report);
  add_spreads(e, report);
  report.add_heading(weighted ? "Energies, weights and training" : "Energies");
  std::vector<metrics::Figure> figures{energy_plot(*input.samples, e, *input.reference)};
  if (weighted) figures.push_back(weight_plot(*input.samples));
  if (weighted && !smc) {
    figures.push_back(effective_samples_plot(*input.samples));
    figures.push_back(pareto_k_plot(*input.samples));
  }
  const auto& tuning = input.samples->file.tuning;
  if (tuning) figures.push_back(tuning_plot(*tuning));
  if (!input.train_log.empty()) figures.push_back(loss_plot(input.train_log));
  report.add_plots(figures);
  if (!input.budgets.empty()) add_budgets(input.budgets, input.published, report);
  if (!input.smc_figures.empty()) {
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
