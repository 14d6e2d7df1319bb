#include "apps/runs/results_json.h"

#include <cmath>

#include "apps/cli/decoding_options.h"
#include "tensor/base/json_file.h"

namespace arbg::apps {

Json summary_json(const metrics::WeightSummary& summary) {
  Json json = Json::object();
  json["samples"] = static_cast<std::int64_t>(summary.count);
  json["zero_weights"] = static_cast<std::int64_t>(summary.zero_count);
  json["ess"] = summary.ess;
  json["ess_fraction"] = summary.ess_fraction;
  json["largest_share"] = summary.largest_share;
  json["pareto_k"] = summary.pareto_k;
  json["log_z"] = summary.log_z;
  json["log_z_error"] = summary.log_z_error;
  return json;
}

metrics::WeightSummary summary_from_json(const Json& json) {
  metrics::WeightSummary out;
  out.count = static_cast<std::size_t>(member(json, "samples", &Json::integer));
  out.zero_count = static_cast<std::size_t>(member(json, "zero_weights", &Json::integer));
  out.ess = member(json, "ess", number_or_nan);
  out.ess_fraction = member(json, "ess_fraction", number_or_nan);
  out.largest_share = member(json, "largest_share", number_or_nan);
  out.pareto_k = member(json, "pareto_k", number_or_nan);
  out.log_z = member(json, "log_z", number_or_nan);
  out.log_z_error = member(json, "log_z_error", number_or_nan);
  return out;
}

Json to_json(const sampling::TemperatureTuning& tuning) {
  Json curve = Json::list();
  for (const auto& point : tuning.curve) {
    Json entry = Json::object();
    entry["temperature"] = point.temperature;
    entry["ess_fraction"] = point.ess_fraction;
    entry["error"] = point.error;
    curve.push_back(std::move(entry));
  }
  Json json = Json::object();
  json["temperature"] = tuning.temperature;
  json["pilot_samples"] = tuning.pilot;
  json["curve"] = std::move(curve);
  return json;
}

sampling::TemperatureTuning tuning_from_json(const Json& json) {
  sampling::TemperatureTuning out;
  out.temperature = json.at("temperature").number();
  out.pilot = json.at("pilot_samples").integer();
  for (const Json& entry : json.at("curve").items()) {
    out.curve.push_back({entry.at("temperature").number(), number_or_nan(entry.at("ess_fraction")),
                         number_or_nan(entry.at("error"))});
  }
  return out;
}

namespace {

// A limit or a free energy; NaN is null.
Json number_or_word(double value) {
  if (std::isinf(value)) return value > 0 ? "infinite" : "-infinite";
  return value;
}

}  // namespace

void add_figure(Json& to, const std::string& name, const metrics::Interval& figure) {
  to[name] = number_or_word(figure.estimate);
  Json& limits = to[name + "_interval"];
  if (std::isnan(figure.low) || std::isnan(figure.high)) return;
  limits = Json::list();
  limits.push_back(number_or_word(figure.low));
  limits.push_back(number_or_word(figure.high));
}

namespace {

Json distance(const sampling::Distance& d) {
  Json json = Json::object();
  add_figure(json, "weighted", d.weighted);
  add_figure(json, "raw", d.raw);
  add_figure(json, "floor", d.floor);
  return json;
}

Json interval(const metrics::Interval& i, const char* figure) {
  Json json = Json::object();
  json[figure] = number_or_word(i.estimate);
  json["low"] = number_or_word(i.low);
  json["high"] = number_or_word(i.high);
  return json;
}

Json to_json(const sampling::ResidueAngles& residue) {
  Json json = Json::object();
  json["residue"] = residue.residue;
  json["total_variation"] = distance(residue.total_variation);
  for (std::size_t k = 0; k < metrics::kBasins; ++k) {
    Json& basin = json["basins"][std::string(metrics::name_of(static_cast<metrics::Basin>(k)))];
    const sampling::BasinFigures& figures = residue.basins[k];
    basin["samples"] = interval(figures.samples, "share");
    basin["reference"] = interval(figures.reference, "share");
    basin["samples_kt"] = interval(figures.samples_kt, "free_energy");
    basin["reference_kt"] = interval(figures.reference_kt, "free_energy");
    basin["difference_kt"] = interval(figures.difference_kt, "free_energy");
  }
  json["free_energies_above"] =
      std::string(metrics::name_of(static_cast<metrics::Basin>(residue.lowest)));
  return json;
}

Json to_json(const sampling::Spread& spread) {
  Json json = Json::object();
  json["group"] = spread.group;
  json["name"] = spread.name;
  json["jsd"] = distance(spread.jsd);
  if (spread.jsd.has_intervals()) json["above_floor"] = spread.jsd.is_above_floor();
  return json;
}

Json to_json(const sampling::Folding& folding) {
  Json json = Json::object();
  json["below_nm"] = folding.limit_nm;
  json["samples"] = interval(folding.samples, "share");
  json["reference"] = interval(folding.reference, "share");
  json["difference"] = interval(folding.difference, "share");
  json["as_drawn"] = folding.drawn;
  return json;
}

Json to_json(const sampling::Agreement& a) {
  Json json = Json::object();
  json["agree"] = a.agree();
  json["ratio"] = a.ratio();
  json["torsion_w2_of_halves_rad"] = a.halves_rad;
  json["torsion_w2_at_random_rad"] = a.random_rad;
  json["scatter_at_random_rad"] = a.random_scatter_rad;
  json["points"] = a.points;
  return json;
}

}  // namespace

Json to_json(const sampling::Evaluation& e) {
  Json out = Json::object();
  if (e.weight_kind != sampling::WeightKind::none) out["weights"] = summary_json(e.weights);
  if (e.weight_kind == sampling::WeightKind::relative)
    out["weights"]["log_z"] = out["weights"]["log_z_error"] = Json();
  if (e.weight_kind != sampling::WeightKind::none)
    add_figure(out["weights"], "ess_fraction", e.ess_fraction);
  if (e.populations > 0) out["populations"] = e.populations;
  out["decoding"] = to_json(e.decoding);
  if (e.trim > 0) {
    out["trimmed_fraction"] = e.trim;
    out["trimmed_weights"] = summary_json(e.trimmed);
  }
  out["points"] = static_cast<std::int64_t>(e.points);
  out["energy_w2_kt"] = distance(e.energy_w2_kt);
  out["torsion_w2_rad"] = distance(e.torsion_w2_rad);
  if (e.slow.timescales.empty()) {
    if (!e.slow.why_not.empty()) out["tica_left_out"] = e.slow.why_not;
  } else {
    out["tica_w2"] = distance(e.slow.w2);
    out["tica_jsd"] = distance(e.slow.jsd);
    out["tica_timescales_frames"] =
        Json(Json::List(e.slow.timescales.begin(), e.slow.timescales.end()));
  }
  if (!e.angles.empty()) out["ramachandran_total_variation"] = distance(e.total_variation);
  Json& residues = out["residues"] = Json::list();
  for (const auto& residue : e.angles) residues.push_back(to_json(residue));
  Json& spreads = out["spreads"] = Json::list();
  for (const auto& spread : e.spreads) spreads.push_back(to_json(spread));
  if (e.agreement.why_not.empty()) out["reference_replicas"] = to_json(e.agreement);
  if (e.folding) out["folded"] = to_json(*e.folding);
  if (e.likelihood_frames > 0) {
    out["reference_likelihood_frames"] = e.likelihood_frames;
    add_figure(out, "reference_nats_per_coordinate", e.reference_nats);
    out["reference_frames_outside_support"] = e.reference_outside;
    add_figure(out, "reverse_ess_fraction", e.reverse_ess_fraction);
    out["bennett_log_z"] = e.bennett->log_z;
    out["bennett_log_z_error"] = e.bennett->error;
    out["bennett_overlap"] = e.bennett->overlap;
  }
  return out;
}

Json to_json(const sampling::Convergence& c) {
  Json out = Json::object();
  out["frames_used"] = static_cast<std::int64_t>(c.frames);
  out["spacing_ps"] = c.spacing_ps;
  out["torsions"] = Json::list();
  for (const sampling::TorsionConvergence& torsion : c.torsions) {
    Json entry = Json::object();
    entry["name"] = torsion.name;
    entry["autocorrelation_time_ps"] = torsion.time_ps;
    entry["effective_frames"] = torsion.effective_frames;
    entry["reliable"] = torsion.reliable;
    out["torsions"].push_back(std::move(entry));
  }
  if (c.floor_points > 0) {
    out["torsion_w2_floor_rad"] = c.torsion_floor_rad;
    out["torsion_w2_points"] = static_cast<std::int64_t>(c.floor_points);
  }
  if (!c.torsions.empty() && c.agreement.why_not.empty()) out["replicas"] = to_json(c.agreement);
  return out;
}

}  // namespace arbg::apps
