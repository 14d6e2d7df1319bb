#include "apps/pages/md_page.h"

#include <algorithm>
#include <numbers>

#include "metrics/pages/report.h"
#include "metrics/statistics/histogram.h"
#include "tensor/base/npy.h"

namespace arbg::apps {
namespace {

using metrics::format_number;

// phi against psi of every residue that has both.
std::vector<metrics::Figure> ramachandran_maps(const sampling::Convergence& convergence) {
  constexpr double kPi = std::numbers::pi;
  const auto edges = metrics::uniform_edges(-kPi, kPi, 72);
  std::vector<metrics::Figure> maps;
  for (std::size_t phi = 0; phi < convergence.torsions.size(); ++phi) {
    const std::string& name = convergence.torsions[phi].name;
    if (!name.starts_with("phi ")) continue;
    const std::string residue = name.substr(4);
    const auto psi = std::ranges::find(convergence.torsions, "psi " + residue,
                                       &sampling::TorsionConvergence::name);
    if (psi == convergence.torsions.end()) continue;
    const auto& y =
        convergence.angles[static_cast<std::size_t>(psi - convergence.torsions.begin())];
    maps.push_back(metrics::ramachandran_map(
        residue, "Free energy in kT over phi and psi.",
        metrics::make_histogram_2d(convergence.angles[phi], y, {}, edges, edges)));
  }
  return maps;
}

// The mean over replicas of each save, and all energies as a histogram.
std::vector<metrics::Figure> energy_plots(const std::vector<double>& u,
                                          const md::SimulationOptions& options) {
  metrics::Plot trace, density;
  trace.title = "Energy in time";
  trace.description = "Mean over replicas: a trend means that the warm-up was too short.";
  trace.x.label = "ns";
  trace.y.label = density.x.label = "u = E/RT (kT)";
  density.title = "Energy";
  density.description = "All replicas.";
  density.y.label = "density";
  const auto replicas = static_cast<std::size_t>(options.replicas);
  metrics::Series mean;
  for (std::size_t save = 0; save < u.size() / replicas; ++save) {
    double sum = 0;
    for (std::size_t r = 0; r < replicas; ++r) sum += u[save * replicas + r];
    mean.x.push_back(
        static_cast<double>((static_cast<std::int64_t>(save) + 1) * options.save_interval) *
        options.timestep_ps * 1e-3);
    mean.y.push_back(sum / static_cast<double>(replicas));
  }
  trace.series = {std::move(mean)};
  const auto [low, high] = std::ranges::minmax(u);
  density.series = {metrics::histogram_series(
      "", metrics::make_histogram(u, {}, metrics::uniform_edges(low - 1, high + 1, 80)))};
  return {trace, density};
}

}  // namespace

std::string convergence_text(const sampling::Convergence& convergence) {
  std::string out;
  if (!convergence.torsions.empty()) {
    const sampling::TorsionConvergence& slowest = convergence.slowest();
    out += "; slowest torsion " + slowest.name + ", " + format_number(slowest.effective_frames, 3) +
           " effective frames";
  }
  if (convergence.floor_points > 0) {
    out += "; half of the replicas against the other half: T-W2 " +
           format_number(convergence.torsion_floor_rad, 3) + " rad (" +
           std::to_string(convergence.floor_points) + " a side)";
  }
  return out;
}

void write_md_page(const std::filesystem::path& path, const MdJob& job, const MdOutcome& outcome) {
  const sampling::Convergence& c = outcome.convergence;
  metrics::Report report(
      job.options.sequence + ": molecular dynamics",
      job.options.forcefield + ", " + format_number(job.options.temperature_kelvin, 3) + " K");
  std::vector<metrics::KeyNumber> key = {
      {"Frames", std::to_string(outcome.result.frames),
       "of " + std::to_string(job.options.replicas) + " replicas"}};
  if (!c.torsions.empty()) {
    key.push_back({"Effective frames", format_number(c.slowest().effective_frames, 3),
                   "of the slowest torsion, " + c.slowest().name});
  }
  if (c.floor_points > 0) {
    key.push_back({"T-W2 of two halves", format_number(c.torsion_floor_rad, 3) + " rad",
                   std::to_string(c.floor_points) + " frames a side"});
  }
  report.add_key_numbers(key);
  const auto maps = ramachandran_maps(c);
  if (!maps.empty()) {
    report.add_heading("Backbone torsions");
    report.add_plots(maps);
  }
  const auto energies = read_npy(job.output / "energy.npy").data;
  if (!energies.empty()) {
    report.add_heading("Energy");
    report.add_plots(energy_plots(energies, job.options));
  }
  report.add_heading("Convergence");
  const bool all_reliable =
      std::ranges::all_of(c.torsions, &sampling::TorsionConvergence::reliable);
  metrics::Table torsions({"torsion", "independent after (ps)", "effective frames"});
  for (const sampling::TorsionConvergence& t : c.torsions) {
    torsions.add_row({t.name, format_number(t.time_ps, 3),
                      format_number(t.effective_frames, 3) + (t.reliable ? "" : " at most")});
  }
  report.add_table(torsions, "From " + std::to_string(c.frames) + " frames, " +
                                 format_number(c.spacing_ps, 3) + " ps apart in each replica." +
                                 (all_reliable ? "" : " At most: the run is too short to tell."));
  if (!c.torsions.empty()) report.add_paragraph(c.agreement.sentence() + ".");
  if (!outcome.result.swap_acceptance.empty()) {
    metrics::Table swaps({"swaps between", "accepted"});
    for (std::size_t k = 0; k < outcome.result.swap_acceptance.size(); ++k) {
      swaps.add_row({format_number(outcome.ladder_kelvin[k], 3) + " K and " +
                         format_number(outcome.ladder_kelvin[k + 1], 3) + " K",
                     format_number(100 * outcome.result.swap_acceptance[k], 3) + " %"});
    }
    report.add_table(swaps);
  }
  if (outcome.result.turn_acceptance)
    report.add_paragraph("Of all tries to turn a peptide bond between trans and cis, " +
                         format_number(100 * *outcome.result.turn_acceptance, 2) +
                         " % were accepted.");
  report.save(path);
}

}  // namespace arbg::apps
