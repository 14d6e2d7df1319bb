#include "apps/runs/smc_run.h"

#include "tensor/base/error.h"
#include "tensor/base/json_file.h"

namespace arbg::apps {
namespace {

SmcOutcome outcome_of(const Json& json) {
  SmcOutcome out;
  out.weights.log_z = member(json, "log_z", number_or_nan);
  out.weights.log_z_error = member(json, "log_z_error", number_or_nan);
  out.log_z = member(json, "log_z_of_populations", numbers_of);
  out.weights.ess_fraction = member(json, "ess_fraction", number_or_nan);
  out.ancestors = member(json, "surviving_ancestors", number_or_nan);
  out.energies = member(json, "energies", &Json::integer);
  out.partial_energies = member(json, "partial_energies", &Json::integer);
  out.densities = member(json, "densities", &Json::integer);
  out.seconds = member(json, "seconds", &Json::number);
  for (const Json& row : member(json, "stages", &Json::items)) {
    sampling::SmcStage stage;
    stage.at = member(row, "at", &Json::number);
    stage.ess_fraction = member(row, "ess_fraction", number_or_nan);
    stage.ancestors = member(row, "surviving_ancestors", number_or_nan);
    stage.acceptance = member(row, "acceptance", number_or_nan);
    out.resampled.push_back(member(row, "resampled", number_or_nan));
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
  const std::string method = member(run, "method", &Json::string);
  require(method == "annealed" || method == "twisted",
          "expected the method annealed or twisted, found '", method, "'");
  out.annealed = method == "annealed";
  out.populations = member(run, "populations", &Json::integer);
  require(out.populations >= 1, "expected at least one population, found ", out.populations);
  out.ess_threshold = member(run, "ess_threshold", &Json::number);
  require(out.ess_threshold >= 0 && out.ess_threshold <= 1,
          "expected \"ess_threshold\" to be a share from 0 to 1, found ", out.ess_threshold);
  out.resampling = sampling::resampling_named(member(run, "resampling", &Json::string));
  if (out.annealed) {
    out.moves = member(run, "moves", &Json::integer);
    // Before there was a choice of these they were as SmcRun has them.
    if (run.has("conditional_ess"))
      out.conditional_ess = member(run, "conditional_ess", &Json::number);
    if (run.has("leapfrog_steps"))
      out.leapfrog_steps = member(run, "leapfrog_steps", &Json::integer);
    out.ladder = member(run, "ladder", numbers_of);
    out.steps = member(run, "steps", numbers_of);
    out.pilot_energies = member(run, "pilot_energies", &Json::integer);
  } else {
    out.lambda = member(run, "lambda", &Json::number);
  }
  out.outcome = outcome_of(run);
  return out;
}

}  // namespace arbg::apps
