// What the library has computed, as run.json, evaluation.json and --json hold it.
#pragma once

#include <string>

#include "metrics/statistics/bootstrap.h"
#include "metrics/weights/weights.h"
#include "sampling/evaluation/convergence.h"
#include "sampling/evaluation/evaluation.h"
#include "sampling/proposals/tuning.h"
#include "tensor/base/json.h"

namespace arbg::apps {

Json summary_json(const metrics::WeightSummary& summary);
metrics::WeightSummary summary_from_json(const Json& json);

Json to_json(const sampling::TemperatureTuning& tuning);
sampling::TemperatureTuning tuning_from_json(const Json& json);

// A figure under its name, and its interval as [low, high] under NAME_interval: null where there is
// none. Free energies may be infinite: then "infinite" or "-infinite".
void add_figure(Json& to, const std::string& name, const metrics::Interval& figure);

Json to_json(const sampling::Evaluation& evaluation);
Json to_json(const sampling::Convergence& convergence);

}  // namespace arbg::apps
