// What the library has computed, as run.json, evaluation.json and --json hold it.
#pragma once

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

Json to_json(const sampling::Evaluation& evaluation);
Json to_json(const sampling::Convergence& convergence);

}  // namespace arbg::apps
