// Ctrl-C at one rank: all hear of it, at the same step, whatever a step takes.
#include "tensor/base/shared_interrupt.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "thread_ranks.h"

using namespace arbg;

TEST_SUITE("fast") {
  TEST_CASE("who is interrupted is heard by all ranks at one step") {
    for (const int count : {1, 2, 5}) {
      CAPTURE(count);
      std::vector<std::int64_t> heard_at(static_cast<std::size_t>(count));
      on_ranks(count, [&](const Ranks& ranks) {
        SharedInterrupt stop(ranks);
        std::int64_t step = 100;  // of a run that goes on
        const auto is_interrupted = [&] { return ranks.rank() == count - 1 && step >= 137; };
        while (!stop.heard(step, is_interrupted())) step += stop.steps_left(step);
        heard_at[static_cast<std::size_t>(ranks.rank())] = step;
      });
      CHECK(heard_at[0] >= 137);
      CHECK(heard_at[0] < 200);
      CHECK(heard_at == std::vector(heard_at.size(), heard_at[0]));
    }
  }

  TEST_CASE("one that is alone is heard between meetings") {
    SharedInterrupt stop(Ranks::alone());
    std::int64_t step = 0;
    for (int meeting = 0; meeting < 5; ++meeting) {
      CHECK_FALSE(stop.heard(step, false));
      step += stop.steps_left(step);
    }
    CHECK_FALSE(stop.heard(step, false));
    CHECK_FALSE(stop.heard(step + 1, false));
    CHECK(stop.heard(step + 1, true));
  }

  TEST_CASE("slow steps are few between meetings") {
    using std::chrono::milliseconds;
    on_ranks(2, [&](const Ranks& ranks) {
      SharedInterrupt stop(ranks);
      std::int64_t step = 0, most = 0;
      while (step < 500 && !stop.heard(step, false)) {
        const std::int64_t steps = stop.steps_left(step);
        most = std::max(most, steps);
        for (std::int64_t k = 0; k < steps; ++k) std::this_thread::sleep_for(milliseconds(1));
        step += steps;
      }
      CHECK(most <= 250);
    });
  }
}
