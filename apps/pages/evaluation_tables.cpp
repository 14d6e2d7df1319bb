#include "apps/pages/evaluation_tables.h"

#include <algorithm>
#include <cmath>

#include "apps/jobs/sample_job.h"
#include "apps/runs/published_figures.h"

namespace arbg::apps {
namespace {

using metrics::format_number;

// In per cent, without the sign.
std::string share_text(const metrics::Interval& share) {
  return interval_text({100 * share.estimate, 100 * share.low, 100 * share.high}, 3);
}

std::string percent_text(const metrics::Interval& share) { return share_text(share) + " %"; }

// How good the weights are; nothing where samples count alike.
void add_weight_rows(const sampling::Evaluation& e, metrics::Table& table) {
  if (e.weight_kind == sampling::WeightKind::none) return;
  const auto& w = e.weights;
  const std::string samples = std::to_string(w.count) + " samples";
  if (e.populations > 0) {
    table.add_row({"effective weights (raw)", percent_text(e.ess_fraction), "100 % perfect",
                   "of " + samples + " that share ancestors"});
  } else {
    table.add_row({"effective samples (raw)", percent_text(e.ess_fraction), "100 % perfect",
                   "of " + samples});
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
                 e.bennett ? format_number(e.bennett->log_z, 6) + " +- " +
                                 format_number(e.bennett->error, 2) + " Bennett"
                           : "",
                 e.populations == 0 ? "log of the partition function"
                 : e.populations == 1
                     ? "one population gives no error"
                     : "error: scatter of " + std::to_string(e.populations) + " populations"});
}

// Basins that any frame or sample is in.
bool is_met(const sampling::BasinFigures& basin) {
  return basin.samples.estimate > 0 || basin.reference.estimate > 0;
}

std::string basin_name(std::size_t basin) {
  return std::string(metrics::name_of(static_cast<metrics::Basin>(basin)));
}

double above_floor(const sampling::Spread& spread) {
  return spread.jsd.weighted.estimate - spread.jsd.floor.estimate;
}

void add_spread_row(const std::vector<const sampling::Spread*>& group, bool weighted,
                    metrics::Table& table) {
  const sampling::Spread& worst = **std::ranges::max_element(
      group, {}, [](const sampling::Spread* spread) { return above_floor(*spread); });
  const std::string drawn =
      weighted ? "as drawn " + format_number(worst.jsd.raw.estimate, 3) : "of " + worst.group;
  const bool alone = group.size() == 1;
  table.add_row({"JSD " + (alone ? worst.name : worst.group), interval_text(worst.jsd.weighted, 3),
                 interval_text(worst.jsd.floor, 3) + " MD floor",
                 alone ? drawn
                       : worst.name + ", worst of " + std::to_string(group.size()) +
                             (weighted ? "; " + drawn : "")});
}

// Those of size one by one, of the others the one farthest above its floor.
void add_spread_rows(const sampling::Evaluation& e, metrics::Table& table) {
  const bool weighted = e.weight_kind != sampling::WeightKind::none;
  std::vector<const sampling::Spread*> group;
  for (const auto& spread : e.spreads) {
    const bool goes_on =
        !group.empty() && spread.group == group.front()->group && spread.group != "size";
    if (!group.empty() && !goes_on) {
      add_spread_row(group, weighted, table);
      group.clear();
    }
    group.push_back(&spread);
  }
  if (!group.empty()) add_spread_row(group, weighted, table);
}

void add_folding_rows(const sampling::Folding& f, bool weighted, metrics::Table& table) {
  table.add_row({"folded, %", share_text(f.samples), share_text(f.reference) + " MD",
                 "RMSD below " + format_number(f.limit_nm, 3) + " nm" +
                     (weighted ? "; as drawn " + format_number(100 * f.drawn, 3) : "")});
}

}  // namespace

std::string percent(double fraction) { return format_number(100 * fraction, 3) + " %"; }

std::string interval_text(const metrics::Interval& i, int digits) {
  const std::string found = format_number(i.estimate, digits);
  if (std::isnan(i.low) || std::isnan(i.high)) return found;
  return found + " (" + format_number(i.low, digits - 1) + " to " +
         format_number(i.high, digits - 1) + ")";
}

std::string interval_note() {
  return "In brackets: 95 %, by bootstrap over parts of the samples and replicas of dynamics. None "
         "where fewer than ten of these count; of the largest weight and k-hat, which hang on the "
         "few heaviest samples; of effective samples whose weights scatter too widely. +- is one "
         "standard error.";
}

metrics::Table basin_table(const sampling::Evaluation& e) {
  using metrics::Align;
  metrics::Table table({"residue", "basin", "samples, %", "reference, %"},
                       {Align::left, Align::left, Align::right, Align::right});
  for (const auto& residue : e.angles) {
    for (std::size_t k = 0; k < metrics::kBasins; ++k) {
      const sampling::BasinFigures& basin = residue.basins[k];
      if (!is_met(basin)) continue;
      table.add_row(
          {residue.residue, basin_name(k), share_text(basin.samples), share_text(basin.reference)});
    }
  }
  return table;
}

metrics::Table free_energy_table(const sampling::Evaluation& e) {
  using metrics::Align;
  metrics::Table table({"residue", "basins", "samples, kT", "reference, kT", "difference, kT"},
                       {Align::left, Align::left, Align::right, Align::right, Align::right});
  for (const auto& residue : e.angles) {
    for (std::size_t k = 0; k < metrics::kBasins; ++k) {
      const sampling::BasinFigures& basin = residue.basins[k];
      if (k == residue.lowest || !is_met(basin)) continue;
      table.add_row({residue.residue, basin_name(k) + " less " + basin_name(residue.lowest),
                     interval_text(basin.samples_kt, 3), interval_text(basin.reference_kt, 3),
                     interval_text(basin.difference_kt, 3)});
    }
  }
  return table;
}

metrics::Table spread_table(const sampling::Evaluation& e) {
  using metrics::Align;
  metrics::Table table(
      {"group", "of", "JSD", "floor", "as drawn", "above the floor"},
      {Align::left, Align::left, Align::right, Align::right, Align::right, Align::right});
  for (const auto& spread : e.spreads) {
    table.add_row({spread.group, spread.name, interval_text(spread.jsd.weighted, 3),
                   interval_text(spread.jsd.floor, 3), interval_text(spread.jsd.raw, 3),
                   !spread.jsd.has_intervals()   ? "not known"
                   : spread.jsd.is_above_floor() ? "yes"
                                                 : "no"});
  }
  return table;
}

metrics::Table results_table(const sampling::Evaluation& e) {
  using metrics::Align;
  metrics::Table table({"figure", "value", "compare with", "meaning"},
                       {Align::left, Align::right, Align::left, Align::left});
  add_weight_rows(e, table);
  if (e.likelihood_frames > 0) {
    const std::string frames = std::to_string(e.likelihood_frames) + " held-out MD frames";
    table.add_row(
        {"reverse ESS", percent_text(e.reverse_ess_fraction), "about the ESS", "from " + frames});
    table.add_row({"held-out nats/coordinate", interval_text(e.reference_nats, 5),
                   "lower is better", "mean -log q of these frames"});
  }
  const auto add_distance = [&](const char* name, const char* of, const sampling::Distance& d) {
    const bool weighted = e.weight_kind != sampling::WeightKind::none;
    table.add_row(
        {name, interval_text(d.weighted, 3), interval_text(d.floor, 3) + " MD floor",
         weighted ? std::string(of) + "; as drawn " + format_number(d.raw.estimate, 3) : of});
  };
  add_distance("E-W2 (kT)", "energies", e.energy_w2_kt);
  add_distance("T-W2 (rad)", "torsions", e.torsion_w2_rad);
  if (!e.slow.timescales.empty()) {
    add_distance("TICA-W2", "slowest motions", e.slow.w2);
    add_distance("JSD", "20 clusters of these", e.slow.jsd);
  }
  if (!e.slow.why_not.empty()) table.add_row({"TICA-W2, JSD", "left out", "", e.slow.why_not});
  if (!e.angles.empty()) add_distance("Ramachandran TV", "mean of residues", e.total_variation);
  add_spread_rows(e, table);
  if (e.folding) add_folding_rows(*e.folding, e.weight_kind != sampling::WeightKind::none, table);
  return table;
}

metrics::Table published_table() {
  metrics::Table table({"published (200,000 energies)", "E-W2 (kT)", "T-W2 (rad)"});
  for (const auto& [name, points] : published_molecules()) {
    const PublishedPoint& p = points.front();
    const auto figure = [](double value) { return format_number(value, value < 1 ? 3 : 4); };
    table.add_row({name, figure(p.energy_w2_kt), figure(p.torsion_w2_rad)});
  }
  return table;
}

}  // namespace arbg::apps
