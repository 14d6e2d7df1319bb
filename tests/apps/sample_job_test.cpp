// The figures of weights as commands print them.
#include "apps/jobs/sample_job.h"

#include <doctest/doctest.h>

#include "apps/runs/results_json.h"
#include "sampling/smc/population.h"

namespace arbg::apps {

TEST_SUITE("fast") {
  TEST_CASE("log Z of a single population, or a single sample, is printed without an error") {
    const double log_weight[] = {0, 1, 2};
    CHECK(log_z_text(sampling::summarise(log_weight, 1)) == "1.308994, without an error");
    CHECK(log_z_text(sampling::summarise(std::span(log_weight).first(1), 0)) ==
          "0, without an error");
    CHECK(log_z_text(sampling::summarise(log_weight, 3)).find(" +- ") != std::string::npos);
  }

  TEST_CASE("the curve of a chosen temperature comes back from JSON") {
    const sampling::TemperatureTuning tuning{{{0.98, 0.25, 0.01}, {1.0, 0.5, 0.02}}, 1.0, 2000};
    CHECK(to_json(tuning_from_json(to_json(tuning))).dump() == to_json(tuning).dump());
  }
}

}  // namespace arbg::apps
