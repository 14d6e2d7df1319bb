// When to stop: the held-out likelihood has not improved for some evaluations in a row.
//
// Keeps the best evaluation so far and how many came after it. It is part of a checkpoint, so that
// a resumed run stops at the same step. An evaluation that is NaN improves nothing.
#pragma once

#include <cstdint>
#include <limits>

#include "tensor/base/json.h"

namespace arbg::nn {

struct EarlyStopping {
  double best_nats = std::numeric_limits<double>::infinity();  // per coordinate
  std::int64_t best_step = 0;                                  // 0: there was no evaluation yet
  std::int64_t evaluations_since = 0;

  bool record(std::int64_t step, double nats) {  // true: the best so far
    const bool better = nats < best_nats;
    if (better) best_nats = nats, best_step = step;
    evaluations_since = better ? 0 : evaluations_since + 1;
    return better;
  }

  Json to_json() const {
    Json json = Json::object();
    if (best_step > 0) json["nats"] = best_nats;
    json["step"] = best_step;
    json["evaluations_since"] = evaluations_since;
    return json;
  }
  static EarlyStopping from_json(const Json& json) {
    EarlyStopping out;
    if (json.has("nats")) out.best_nats = json.at("nats").number();
    out.best_step = json.at("step").integer();
    out.evaluations_since = json.at("evaluations_since").integer();
    return out;
  }
};

}  // namespace arbg::nn
