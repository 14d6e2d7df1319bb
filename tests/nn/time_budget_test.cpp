// Runs by the clock: the budget holds on a machine whose speed changes, and the schedule with it.
// On the cpu alone: its arithmetic is beside the point.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "nn/training/trainer.h"
#include "tensor/base/random.h"
#include "tests/nn/cells.h"

namespace arbg::nn {
namespace {

constexpr double kBudget = 60;

TransformerConfig small_config() {
  TransformerConfig config;
  config.num_bins = 6;
  config.channels = 8;
  config.num_layers = 1;
  config.num_heads = 2;
  config.set_cartesian(2);
  return config;
}

TrainerOptions by_time() {
  TrainerOptions options;
  options.batch = 4;
  options.shards = 2;
  options.time_budget_s = kBudget;
  options.learning_rate = 1e-3;
  return options;
}

// A machine with a clock of its own: a step that begins after a share of the budget takes so long.
struct Machine : TokenSource {
  std::function<double(double share)> step_s;
  double now = 1000;

  explicit Machine(std::function<double(double)> seconds) : step_s(std::move(seconds)) {}
  void fill_tokens(std::int64_t step, std::span<std::int32_t> tokens, std::span<double>) override {
    const Random random(3, stream_id("tokens", static_cast<std::uint64_t>(step)));
    for (std::size_t i = 0; i < tokens.size(); ++i)
      tokens[i] = static_cast<std::int32_t>(random.below(6, i));
    now += step_s((now - 1000) / kBudget);
  }
  std::function<double()> clock() {
    return [this] { return now; };
  }
};

const std::function<double(double)> kMachines[] = {
    [](double) { return 0.25; },
    [](double share) { return share < 0.5 ? 0.1 : 0.5; },    // slows down five times halfway
    [](double share) { return share < 0.5 ? 0.5 : 0.1; },    // speeds up
    [](double share) { return share < 0.01 ? 0.01 : 1.0; },  // fast only in the beginning
    [](double share) { return 0.2 + 0.19 * std::sin(60 * share); },
};

TEST_SUITE("fast") {
  TEST_CASE("the budget holds to half a step, and the schedule runs its course, at any speed") {
    for (const auto& step_s : kMachines) {
      Machine machine(step_s);
      Transformer network(small_config(), Backend::cpu, 5);
      Trainer trainer(network, cells(), machine, by_time(), machine.clock());
      double largest = 0, last = 1, longest = 0, first_rate = 0, progress = 0;
      while (!trainer.done()) {
        const double before = machine.now;
        const StepReport report = trainer.train_step();
        longest = std::max(longest, machine.now - before);
        if (report.step == 1) first_rate = report.learning_rate;
        largest = std::max(largest, report.learning_rate);
        CHECK(report.progress >= progress);
        progress = report.progress;
        if (before - 1000 < 0.05 * kBudget) continue;  // still warming up
        CHECK(report.learning_rate <= last);
        last = report.learning_rate;
      }
      CAPTURE(trainer.step());
      CHECK(std::abs(machine.now - 1000 - kBudget) <= longest / 2 + 1e-9);
      CHECK(first_rate == doctest::Approx(1e-3 / 500));
      CHECK(largest > 0.95e-3);
      CHECK(last < 0.01 * largest);
      CHECK(progress == 1);
    }
  }

  TEST_CASE("resumed on a slower machine, a run has the seconds that were left, and is done once") {
    Machine machine(kMachines[0]), slower([](double) { return 1.5; });
    Transformer network(small_config(), Backend::cpu, 5);
    Trainer trainer(network, cells(), machine, by_time(), machine.clock());
    for (int i = 0; i < 100; ++i) trainer.train_step();
    Trainer resumed(network, cells(), slower, by_time(), slower.clock());
    resumed.resume(trainer.checkpoint());
    while (!resumed.done()) CHECK(resumed.train_step().learning_rate < 1e-3);
    CHECK(std::abs(100 * 0.25 + slower.now - 1000 - kBudget) <= 0.75);
    Trainer again(network, cells(), machine, by_time(), machine.clock());
    again.resume(resumed.checkpoint());
    CHECK(again.done());
    CHECK(again.total_steps() == again.step());
  }

  TEST_CASE("a step longer than the budget is the only one") {
    Machine machine([](double) { return 100.0; });
    Transformer network(small_config(), Backend::cpu, 5);
    Trainer trainer(network, cells(), machine, by_time(), machine.clock());
    trainer.train_step();
    CHECK(trainer.done());
  }

  TEST_CASE("a number of steps does not ask the clock") {
    std::string checkpoints[2];
    for (const int i : {0, 1}) {
      Machine machine(kMachines[1 + i]);
      Transformer network(small_config(), Backend::cpu, 5);
      auto options = by_time();
      options.total_steps = 30;
      Trainer trainer(network, cells(), machine, options, machine.clock());
      while (!trainer.done()) trainer.train_step();
      const Checkpoint checkpoint = trainer.checkpoint();
      checkpoints[i] = checkpoint.trainer.dump();
      for (const auto& [name, tensor] : checkpoint.weights)
        for (const double value : tensor.values()) checkpoints[i] += " " + std::to_string(value);
    }
    CHECK(checkpoints[0] == checkpoints[1]);
  }

  TEST_CASE("in an older checkpoint the budget has become a number of steps, and stays one") {
    Machine machine(kMachines[0]);
    Transformer network(small_config(), Backend::cpu, 5);
    Trainer trainer(network, cells(), machine, by_time(), machine.clock());
    for (int i = 0; i < 10; ++i) trainer.train_step();
    Checkpoint older = trainer.checkpoint();
    older.trainer["total_steps"] = 40;
    Trainer resumed(network, cells(), machine, by_time(), machine.clock());
    resumed.resume(older);
    while (!resumed.done()) resumed.train_step();
    CHECK(resumed.step() == 40);
  }
}

}  // namespace
}  // namespace arbg::nn
