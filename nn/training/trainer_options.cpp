// The trainer's options: what makes sense, and how they are stored.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <type_traits>

#include "nn/optimizer/muon.h"
#include "nn/optimizer/soap.h"
#include "nn/training/trainer.h"
#include "tensor/base/error.h"
#include "tensor/base/json_file.h"

namespace arbg::nn {
namespace {

constexpr std::pair<OptimizerKind, const char*> kOptimizers[] = {
    {OptimizerKind::adamw, "adamw"}, {OptimizerKind::muon, "muon"}, {OptimizerKind::soap, "soap"}};

// Calls visit(name, member) for every option: the one list that writing and reading share.
template <class Options, class Visit>
void for_each_option(Options& o, const Visit& visit) {
  visit("batch", o.batch);
  visit("shards", o.shards);
  visit("micro_batch", o.micro_batch);
  visit("total_steps", o.total_steps);
  visit("time_budget_s", o.time_budget_s);
  visit("learning_rate", o.learning_rate);
  visit("warm_up", o.warm_up);
  visit("start_divisor", o.start_divisor);
  visit("beta1", o.adamw.beta1);
  visit("beta2", o.adamw.beta2);
  visit("epsilon", o.adamw.epsilon);
  visit("weight_decay", o.adamw.weight_decay);
  visit("momentum", o.momentum);
  visit("clip_norm", o.clip_norm);
  visit("average_decay", o.average_decay);
  visit("label_smoothing", o.label_smoothing);
  visit("evaluate_every", o.evaluate_every);
  visit("early_stop", o.early_stop);
  visit("variance_weight", o.variance_weight);
  visit("variance_weight_most", o.variance_weight_most);
  visit("variance_clip", o.variance_clip);
}

// Options that files written before they existed do not have: there they had the default value.
bool is_newer(std::string_view name) {
  constexpr std::string_view kNewer[] = {"momentum", "label_smoothing", "evaluate_every",
                                         "early_stop", "variance_weight_most"};
  return std::ranges::find(kNewer, name) != std::end(kNewer);
}

void check_range(const char* name, double value, double low, double high) {
  require(value >= low && value <= high, "the training option ", name, " is ", value, ", expected ",
          low, " to ", high);
}

}  // namespace

const char* name_of(OptimizerKind kind) {
  const auto* named =
      std::ranges::find(kOptimizers, kind, [](const auto& optimizer) { return optimizer.first; });
  return named->second;
}

std::optional<OptimizerKind> optimizer_named(const std::string& name) {
  for (const auto& [kind, known] : kOptimizers)
    if (name == known) return kind;
  return {};
}

ScheduleKind schedule_named(const std::string& name) {
  require(name == "one-cycle" || name == "constant", "expected one-cycle or constant, found \"",
          name, "\"");
  return name == "constant" ? ScheduleKind::constant : ScheduleKind::one_cycle;
}

void TrainerOptions::check() const {
  require(batch >= 1 && shards >= 1 && shards <= batch, "the batch of ", batch,
          " molecules cannot be cut into ", shards, " shards");
  require(micro_batch >= 0, "the micro-batch cannot be ", micro_batch);
  require(total_steps <= std::numeric_limits<std::int32_t>::max(),
          "training has at most 2147483647 steps, not ", total_steps);
  require(total_steps >= 0 && (total_steps > 0 || time_budget_s > 0),
          "training needs a number of steps or a time budget");
  require(evaluate_every >= 0 && early_stop >= 0, "evaluate_every ", evaluate_every,
          " and early_stop ", early_stop, " must not be negative");
  require(early_stop == 0 || evaluate_every > 0,
          "stopping early needs evaluations: say every how many steps");
  check_range("learning_rate", learning_rate, 0, 10);
  check_range("warm_up", warm_up, 0, 1);
  check_range("start_divisor", start_divisor, 1, HUGE_VAL);
  check_range("beta1", adamw.beta1, 0, 0.999999);
  check_range("beta2", adamw.beta2, 0, 0.99999999);
  check_range("epsilon", adamw.epsilon, 0, 1);
  check_range("weight_decay", adamw.weight_decay, 0, 100);
  check_range("momentum", momentum, 0, 0.999999);
  check_range("clip_norm", clip_norm, 0, HUGE_VAL);
  check_range("average_decay", average_decay, 0, 0.99999999);
  check_range("label_smoothing", label_smoothing, 0, 1);
  check_range("variance_weight", variance_weight, 0, HUGE_VAL);
  check_range("variance_weight_most", variance_weight_most, 0, HUGE_VAL);
  require(variance_weight > 0 || variance_weight_most == 0, "variance_weight_most is ",
          variance_weight_most, ", which needs a variance_weight above 0 to grow from");
  check_range("variance_clip", variance_clip, 0, HUGE_VAL);
}

std::unique_ptr<Optimizer> TrainerOptions::make_optimizer(
    const std::vector<Parameter>& parameters) const {
  if (optimizer == OptimizerKind::muon) {
    MuonOptions muon;
    muon.momentum = momentum;
    muon.weight_decay = adamw.weight_decay;
    muon.adamw = adamw;
    return std::make_unique<Muon>(parameters, muon);
  }
  if (optimizer == OptimizerKind::soap) {
    SoapOptions soap;
    soap.matrices.weight_decay = adamw.weight_decay;
    soap.others = adamw;
    return std::make_unique<Soap>(parameters, soap);
  }
  return std::make_unique<AdamW>(parameters, adamw);
}

Json TrainerOptions::to_json() const {
  Json json = Json::object();
  for_each_option(*this, [&](const char* name, const auto& value) {
    // As before it existed: files of runs without it stay comparable, word for word.
    const bool is_new = std::string_view(name) == "variance_weight_most";
    if (!is_new || value != 0) json[name] = value;
  });
  json["optimizer"] = name_of(optimizer);
  json["schedule"] = schedule == ScheduleKind::constant ? "constant" : "one-cycle";
  json["seed"] = std::to_string(seed);
  return json;
}

TrainerOptions TrainerOptions::from_json(const Json& json) {
  TrainerOptions options;
  for_each_option(options, [&](const char* name, auto& value) {
    if (!json.has(name) && is_newer(name)) return;
    if constexpr (std::is_same_v<decltype(value), std::int64_t&>) {
      value = member(json, name, &Json::integer);
    } else {
      value = member(json, name, &Json::number);
    }
  });
  if (json.has("optimizer")) {
    const std::string name = member(json, "optimizer", &Json::string);
    const auto kind = optimizer_named(name);
    require(kind.has_value(), "expected ", kOptimizerNames, ", found \"", name, "\"");
    options.optimizer = *kind;
  }
  if (json.has("schedule"))
    options.schedule = schedule_named(member(json, "schedule", &Json::string));
  options.seed = member(json, "seed", &Json::natural);
  options.check();
  return options;
}

}  // namespace arbg::nn
