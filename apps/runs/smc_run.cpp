#include "apps/runs/smc_run.h"

#include "tensor/base/error.h"

namespace arbg::apps {
namespace {

SmcOutcome outcome_of(const Json& json) {
  SmcOutcome out;
  out.weights.log_z = number_or_nan(json.at("log_z"));
  out.weights.log_z_error = number_or_nan(json.at("log_z_error"));
  out.log_z = numbers_of(json.at("log_z_of_populations"));
  out.weights.ess_fraction = number_or_nan(json.at("ess_fraction"));
  out.ancestors = number_or_nan(json.at("surviving_ancestors"));
  out.energies = json.at("energies").integer();
  out.partial_energies = json.at("partial_energies").integer();
  out.densities = json.at("densities").integer();
  out.seconds = json.at("seconds").number();
  for (const Json& row : json.at("stages").items()) {
    sampling::SmcStage stage;
    stage.at = row.at("at").number();
    stage.ess_fraction = number_or_nan(row.at("ess_fraction"));
    stage.ancestors = number_or_nan(row.at("surviving_ancestors"));
    stage.acceptance = number_or_nan(row.at("acceptance"));
    const double share = number_or_nan(row.at("resampled"));
    stage.resampled = share > 0;
    out.resampled.push_back(share);
    out.stages.push_back(stage);
  }
  return out;
}

}  // namespace

Json to_json(const SmcOutcome& outcome) {
  Json json = Json::object();
  json["log_z"] = outcome.weights.log_z;
  json["log_z_error"] = outcome.weights.log_z_error;
  json["log_z_of_populations"] = list_of(outcome.log_z);
  json["ess_fraction"] = outcome.weights.ess_fraction;
  json["surviving_ancestors"] = outcome.ancestors;
  json["energies"] = outcome.energies;
  json["partial_energies"] = outcome.partial_energies;
  json["densities"] = outcome.densities;
  json["seconds"] = outcome.seconds;
  Json stages = Json::list();
  for (std::size_t k = 0; k < outcome.stages.size(); ++k) {
    const auto& stage = outcome.stages[k];
    Json row = Json::object();
    row["at"] = stage.at;
    row["ess_fraction"] = stage.ess_fraction;
    row["surviving_ancestors"] = stage.ancestors;
    row["acceptance"] = stage.acceptance;
    row["resampled"] = outcome.resampled[k];
    stages.push_back(std::move(row));
  }
  json["stages"] = std::move(stages);
  return json;
}

void add_members(Json& run, const SmcRun& smc) {
  run["method"] = smc.annealed ? "annealed" : "twisted";
  run["populations"] = smc.populations;
  run["ess_threshold"] = smc.ess_threshold;
  run["resampling"] = sampling::name_of(smc.resampling);
  if (smc.annealed) {
    run["conditional_ess"] = smc.conditional_ess;
    run["moves"] = smc.moves;
    run["leapfrog_steps"] = smc.leapfrog_steps;
    run["ladder"] = list_of(smc.ladder);
    run["steps"] = list_of(smc.steps);
    run["pilot_energies"] = smc.pilot_energies;
  } else {
    run["lambda"] = smc.lambda;
  }
  const Json figures = to_json(smc.outcome);
  for (const auto& [name, value] : figures.members()) run[name] = value;
}

SmcRun smc_run_of(const Json& run) {
  SmcRun out;
  const std::string& method = run.at("method").string();
  require(method == "annealed" || method == "twisted",
          "expected the method annealed or twisted, found '", method, "'");
  out.annealed = method == "annealed";
  out.populations = run.at("populations").integer();
  require(out.populations >= 1, "expected at least one population, found ", out.populations);
  out.ess_threshold = run.at("ess_threshold").number();
  out.resampling = sampling::resampling_named(run.at("resampling").string());
  if (out.annealed) {
    out.moves = run.at("moves").integer();
    // Before there was a choice of these they were as SmcRun has them.
    if (run.has("conditional_ess")) out.conditional_ess = run.at("conditional_ess").number();
    if (run.has("leapfrog_steps")) out.leapfrog_steps = run.at("leapfrog_steps").integer();
    out.ladder = numbers_of(run.at("ladder"));
    out.steps = numbers_of(run.at("steps"));
    out.pilot_energies = run.at("pilot_energies").integer();
  } else {
    out.lambda = run.at("lambda").number();
  }
  out.outcome = outcome_of(run);
  return out;
}

}  // namespace arbg::apps
