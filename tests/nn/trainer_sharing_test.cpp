// Training shared by threads and ranks: the same bits however many there are.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "autograd/functions.h"
#include "nn/training/trainer_run.h"
#include "tensor/base/threads.h"
#include "tests/backends.h"
#include "tests/nn/ring_walk.h"
#include "tests/tensor/thread_ranks.h"

namespace arbg::nn {
namespace {

TEST_SUITE("fast") {
  TEST_CASE("one thread and three give the same numbers") {
    for (const Backend backend : backends_here()) {
      const int threads = thread_count();
      for (const bool conditioned : {false, true}) {
        std::vector<std::vector<double>> found;
        for (const int count : {1, 3}) {
          set_thread_count(count);
          RingWalk source;
          source.conditioned = conditioned;
          auto options = small_options();
          if (conditioned) options.optimizer = OptimizerKind::muon;
          Transformer network(conditioned ? conditioned_config() : small_config(), backend, 5);
          Trainer trainer(network, cells(), source, options);
          run_training(trainer, {});
          found.push_back(all_numbers(trainer.checkpoint()));
        }
        CHECK(found[0] == found[1]);
      }
      set_thread_count(threads);
    }
  }

  TEST_CASE("any number of ranks gives the numbers of one, at every rank; the first alone writes") {
    // On the cpu alone: five counts of ranks take their time.
    const auto path = std::filesystem::temp_directory_path() /
                      ("arbg_trainer_ranks_test_" + std::to_string(::getpid()));
    for (const bool conditioned : {false, true}) {
      std::vector<double> expected;
      for (const int count : {1, 2, 3, 4, 7}) {
        CAPTURE(count);
        std::vector<std::vector<double>> found(static_cast<std::size_t>(count));
        std::vector<std::int64_t> steps(found.size());
        on_ranks(count, [&](const Ranks& ranks) {
          const auto rank = static_cast<std::size_t>(ranks.rank());
          RingWalk source;
          source.conditioned = conditioned;
          auto options = small_options();
          options.shards = 5;
          options.label_smoothing = 0.1;
          options.evaluate_every = 5;
          if (conditioned) options.optimizer = OptimizerKind::muon;
          Transformer network(conditioned ? conditioned_config() : small_config(), Backend::cpu, 5);
          Trainer trainer(network, cells(), source, options, steady_seconds, ranks);
          RunOptions run;
          if (!ranks.is_first()) run.description["rank"] = ranks.rank();
          run.checkpoint_path = run.best_path = path;
          run.evaluate = [](const Transformer&) { return 1.0; };
          run.on_step = [&](const StepReport&) { ++steps[rank]; };
          run_training(trainer, run);
          found[rank] = all_numbers(trainer.checkpoint());
        });
        if (count == 1) expected = found[0];
        for (std::size_t rank = 0; rank < found.size(); ++rank) {
          CHECK(found[rank] == expected);
          CHECK(steps[rank] == (rank == 0 ? 14 : 0));
        }
        CHECK_FALSE(Checkpoint::read(path, Backend::cpu).description.has("rank"));
        std::filesystem::remove(path);
      }
    }
  }

  TEST_CASE("a gradient is the tree sum of its shards' gradients, bit for bit") {
    RingWalk source;
    auto options = small_options();
    options.shards = 5;
    options.micro_batch = 5;  // a whole shard
    options.variance_weight = 0;
    options.clip_norm = 0;
    options.adamw.beta1 = 0;
    Transformer network(small_config(), Backend::reference, 5);
    const Transformer copy(small_config(), Backend::reference, 5);
    Trainer trainer(network, cells(), source, options);
    trainer.train_step();

    std::vector<std::int32_t> tokens(22 * 6);
    source.fill_tokens(0, tokens, {});
    const Tensor batch = Tensor::from_indices(tokens, {22, 6}, Backend::reference);
    std::vector<double> leaves, in_a_row(static_cast<std::size_t>(copy.parameter_count()));
    for (std::int64_t shard = 0; shard < 5; ++shard) {
      const auto first = shard * 22 / 5, rows = (shard + 1) * 22 / 5 - first;
      const Variable log_p = copy.log_prob(batch.rows(first, rows));
      Tensor weights = Tensor::zeros({rows, 6}, DType::f64, Backend::reference);
      weights.fill(-1.0 / (22 * 6));
      copy.clear_gradients();
      autograd::backward(log_p, weights);
      auto sum = in_a_row.begin();
      for (const auto& parameter : copy.parameters()) {
        for (const double g : parameter.variable.grad().values()) {
          leaves.push_back(g);
          *sum++ += g;
        }
      }
    }
    const auto found = gradient_of_last_step(trainer);
    CHECK(found == Ranks().sum_tree(5, copy.parameter_count(), std::span<const double>(leaves)));
    CHECK(found != in_a_row);
  }
}

}  // namespace
}  // namespace arbg::nn
