#include "apps/cli/trainer_options.h"

#include "tensor/base/error.h"

namespace arbg::apps {

NamedByUser take_trainer_options(const Arguments& arguments, nn::TrainerOptions& trainer) {
  const auto number = [&](const char* name, double& value) {
    if (arguments.given(name)) value = arguments.number(name);
  };
  NamedByUser named;
  named.optimizer = arguments.given("optimizer");
  if (named.optimizer) {
    const std::string name = arguments.text("optimizer");
    const auto kind = nn::optimizer_named(name);
    require(kind.has_value(), "--optimizer expects ", nn::kOptimizerNames, ", got '", name, "'");
    trainer.optimizer = *kind;
  }
  number("learning-rate", trainer.learning_rate);
  named.variance_weight_most =
      arguments.given("variance-weight") || arguments.given("variance-weight-most");
  if (arguments.given("variance-weight")) trainer.variance_weight_most = 0;
  number("variance-weight", trainer.variance_weight);
  number("variance-weight-most", trainer.variance_weight_most);
  require(
      trainer.variance_weight_most == 0 || trainer.variance_weight_most >= trainer.variance_weight,
      "--variance-weight-most ", trainer.variance_weight_most,
      " is less than the weight that it begins with, ", trainer.variance_weight,
      "; say more, or 0: it stays");
  return named;
}

void keep_unnamed(const NamedByUser& named, const nn::TrainerOptions& settings,
                  nn::TrainerOptions& now) {
  if (!named.optimizer) now.optimizer = settings.optimizer;
  if (!named.variance_weight_most) now.variance_weight_most = settings.variance_weight_most;
}

}  // namespace arbg::apps
