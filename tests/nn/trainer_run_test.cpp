// Runs: evaluations and early stopping, the same when resumed; what a failure leaves behind. On
// the cpu alone: its arithmetic is beside the point.
#include "nn/training/trainer_run.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <map>

#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/random.h"
#include "tests/nn/cells.h"

namespace arbg::nn {
namespace {

TransformerConfig small_config() {
  TransformerConfig config;
  config.num_bins = 6;
  config.channels = 8;
  config.num_layers = 1;
  config.num_heads = 2;
  config.set_cartesian(2);
  config.dropout = 0.1;
  return config;
}

struct RandomTokens : TokenSource {
  void fill_tokens(std::int64_t step, std::span<std::int32_t> tokens, std::span<double>) override {
    const Random random(3, stream_id("tokens", static_cast<std::uint64_t>(step)));
    for (std::size_t i = 0; i < tokens.size(); ++i)
      tokens[i] = static_cast<std::int32_t>(random.below(6, i));
  }
};

TrainerOptions small_options() {
  TrainerOptions options;
  options.batch = 8;
  options.shards = 2;
  options.micro_batch = 3;
  options.total_steps = 40;
  options.learning_rate = 3e-3;
  options.average_decay = 0.9;
  return options;
}

// A folder of its own for a test case.
struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               ("arbg_trainer_run_test_" + std::to_string(::getpid()));
  Folder() { create_folder(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

// One run from its start, or from its checkpoint where there is one; killed after step kill_at.
struct Run {
  std::filesystem::path folder;
  TrainerOptions options = small_options();
  std::function<double(const Transformer&)> evaluate = {};
  std::map<std::int64_t, double> evaluations = {};

  struct Killed {};
  Checkpoint operator()(std::int64_t kill_at = 0) {
    RandomTokens source;
    Transformer network(small_config(), Backend::cpu, 5);
    Trainer trainer(network, cells(), source, options);
    RunOptions run;
    run.checkpoint_path = folder / "checkpoint";
    run.best_path = folder / "best";
    run.checkpoint_every_steps = 5;
    run.evaluate = evaluate;
    run.on_evaluation = [&](std::int64_t step, double nats) { evaluations[step] = nats; };
    run.on_step = [&](const StepReport& report) {
      if (report.step == kill_at) throw Killed{};
    };
    if (std::filesystem::exists(run.checkpoint_path))
      trainer.resume(Checkpoint::read(run.checkpoint_path, Backend::cpu));
    if (kill_at > 0) {
      CHECK_THROWS_AS(run_training(trainer, run), Killed);
    } else {
      CHECK(run_training(trainer, run));
    }
    return trainer.checkpoint();
  }
};

TEST_SUITE("fast") {
  TEST_CASE(
      "a run stops after so many evaluations without a better one, and keeps the best model") {
    const Folder folder;
    Run run{folder.path};
    run.options.evaluate_every = 4;
    run.options.early_stop = 3;
    const double told[] = {5, 3, 4, std::nan(""), 2, 2, 2.5, 9, 1, 1};  // after step 4, 8, 12, ...
    std::size_t calls = 0;
    NamedTensors network_at_best;
    run.evaluate = [&](const Transformer& network) {
      if (calls == 4) network_at_best = network.values();
      return told[calls++];
    };
    const Checkpoint last = run();
    CHECK(calls == 8);
    CHECK(last.trainer.at("step").integer() == 32);  // of 40
    CHECK(last.trainer.at("best").at("step").integer() == 20);
    const Checkpoint best = Checkpoint::read(folder.path / "best", Backend::cpu);
    CHECK(best.trainer.is_null());
    CHECK(best.description.at("step").integer() == 20);
    CHECK(best.description.at("held_out_nats_per_coordinate").number() == 2);
    for (const auto& [name, tensor] : best.averaged_weights)
      CHECK(tensor.values() == find_tensor(network_at_best, name).values());
    // Resumed, there is nothing left to do.
    run();
    CHECK(calls == 8);
  }

  TEST_CASE("without early stopping the last step is evaluated too, whatever its number") {
    const Folder folder;
    Run run{folder.path};
    run.options.evaluate_every = 15;
    run.evaluate = [](const Transformer&) { return 1.0; };
    run();
    CHECK(run.evaluations.size() == 3);
    CHECK(run.evaluations.count(40) == 1);
  }

  TEST_CASE("killed and resumed, a run evaluates the same and stops at the same step") {
    // A likelihood that depends on the weights, so that evaluations show them.
    const auto evaluate = [](const Transformer& network) {
      const auto values = network.values().front().second.values();
      double sum = 0;
      for (std::size_t i = 0; i < values.size(); ++i)
        sum += values[i] * std::sin(static_cast<double>(i));
      return sum;
    };
    const Folder folder;
    auto options = small_options();
    options.evaluate_every = 3;
    options.early_stop = 4;
    create_folder(folder.path / "whole");
    create_folder(folder.path / "parts");
    Run whole{folder.path / "whole", options, evaluate},
        parts{folder.path / "parts", options, evaluate};
    const Checkpoint expected = whole();
    for (const std::int64_t kill_at : {3, 7, 9, 12, 13}) parts(kill_at);
    parts();
    CHECK(parts.evaluations == whole.evaluations);
    CHECK(expected.trainer.at("step").integer() > 13);
    for (const char* file : {"checkpoint", "best"})
      CHECK(read_file(folder.path / "parts" / file) == read_file(folder.path / "whole" / file));
  }

  TEST_CASE("a loss that is not finite is one sentence, and leaves the last good checkpoint") {
    const Folder folder;
    RandomTokens source;
    Transformer network(small_config(), Backend::cpu, 5);
    Trainer trainer(network, cells(), source, small_options());
    RunOptions run;
    run.checkpoint_path = folder.path / "checkpoint";
    run.checkpoint_every_steps = 5;
    run.on_step = [&](const StepReport& report) {
      if (report.step != 7) return;
      Tensor weight = network.parameters().front().variable.value();
      weight.host_data<float>()[0] = std::nanf("");
    };
    std::string message;
    try {
      run_training(trainer, run);
    } catch (const Error& error) {
      message = error.what();
    }
    CAPTURE(message);
    CHECK(message.starts_with("training diverged: at step 8 the loss is "));
    CHECK(message.find("lower the learning rate") != std::string::npos);
    const Checkpoint saved = Checkpoint::read(run.checkpoint_path, Backend::cpu);
    CHECK(saved.trainer.at("step").integer() == 5);
    for (const auto& [name, tensor] : saved.weights) {
      for (const double value : tensor.values()) CHECK(std::isfinite(value));
    }
  }

  TEST_CASE(
      "a checkpoint that does not fit on the disk leaves the old one, and nothing beside it") {
    const Folder folder;
    Run run{folder.path};
    run(12);
    const std::string before = read_file(folder.path / "checkpoint");
    // No file may be longer than half a checkpoint: a write then fails as on a full disk.
    rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit) == 0);
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit small = limit;
    small.rlim_cur = before.size() / 2;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    RandomTokens source;
    Transformer network(small_config(), Backend::cpu, 5);
    Trainer trainer(network, cells(), source, run.options);
    trainer.resume(Checkpoint::read(folder.path / "checkpoint", Backend::cpu));
    RunOptions options;
    options.checkpoint_path = folder.path / "checkpoint";
    CHECK_THROWS_AS(run_training(trainer, options), Error);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, old_handler);
    CHECK(read_file(folder.path / "checkpoint") == before);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
  }

  TEST_CASE(
      "stopping early without evaluations, and evaluations without anything held out, are "
      "refused") {
    const Folder folder;
    RandomTokens source;
    Transformer network(small_config(), Backend::cpu, 5);
    auto options = small_options();
    options.early_stop = 2;
    CHECK_THROWS_AS(Trainer(network, cells(), source, options), Error);
    options.evaluate_every = 1;
    Trainer trainer(network, cells(), source, options);
    CHECK_THROWS_AS(run_training(trainer, {}), Error);
  }
}

}  // namespace
}  // namespace arbg::nn
