// When a refinement stops.
#include <doctest/doctest.h>

#include "apps/runs/refine_job.h"

using namespace arbg::apps;

TEST_SUITE_BEGIN("fast");

TEST_CASE("a refinement stops at the wanted mean of five rounds, not at one lucky round") {
  CHECK(!enough_rounds({}, 0.5, 3));
  CHECK(!enough_rounds(std::vector<double>(4, 0.9), 0.5, 3));
  CHECK(enough_rounds(std::vector<double>(5, 0.9), 0.5, 3));
  CHECK(!enough_rounds(std::vector<double>{0.2, 0.2, 0.9, 0.2, 0.2}, 0.5, 3));
}

TEST_CASE("a refinement stops when the best mean of five rounds is old") {
  std::vector<double> ess = {0.1, 0.2, 0.3, 0.4, 0.5};  // the best mean so far ends here
  for (int k = 0; k < 2; ++k) ess.push_back(0);
  CHECK(!enough_rounds(ess, 1, 3));
  ess.push_back(0);
  CHECK(enough_rounds(ess, 1, 3));
  CHECK(!enough_rounds(ess, 1, 0));
  CHECK(!enough_rounds(ess, 1, 4));
  for (int k = 0; k < 5; ++k) ess.push_back(0.6);  // better again
  CHECK(!enough_rounds(ess, 1, 3));
}

TEST_SUITE_END();
