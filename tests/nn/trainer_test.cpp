// Training: the stated loss and its gradient, the same numbers for any thread count, and resuming
// bit for bit.
#include "nn/training/trainer_run.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "autograd/functions.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/ranks.h"
#include "tensor/base/threads.h"
#include "tests/tensor/thread_ranks.h"

namespace arbg::nn {
namespace {

TransformerConfig small_config() {
  TransformerConfig config;
  config.num_bins = 6;
  config.channels = 8;
  config.num_layers = 2;
  config.num_heads = 2;
  config.set_cartesian(2);
  config.own_start_row = true;
  config.output_bias = true;
  config.bin_features = true;
  return config;
}

// The same for molecules of one or two atoms, with dropout; trained by Muon.
TransformerConfig conditioned_config() {
  TransformerConfig config = small_config();
  config.conditioning = ConditioningConfig{4, 3, 3, true};
  config.add_cond_to_input = config.cross_attention = true;
  config.dropout = 0.2;
  return config;
}

// A walk on a ring of V bins: each token is the one before, or one of its neighbours, with
// probabilities 1/2, 1/4, 1/4.
struct RingWalk : TrainingBatchSource {
  std::int64_t length = 6, bins = 6;
  bool conditioned = false;
  Molecules molecules(std::int64_t step, Backend backend) override {
    if (!conditioned) return {};
    const std::int64_t B = 22, N = 2;
    std::vector<std::int32_t> types, count;
    for (std::int32_t b = 0; b < B; ++b) {
      count.push_back((b + static_cast<std::int32_t>(step)) % 3 == 0 ? 1 : 2);
      for (std::int32_t i = 0; i < N; ++i) types.push_back((b + i) % 3);
    }
    const Tensor atoms = Tensor::from_indices(types, {B, N}, backend);
    const Tensor counts = Tensor::from_indices(count, {B}, backend);
    return {atoms, atoms, atoms, counts, counts};
  }
  void fill(std::int64_t step, std::span<std::int32_t> tokens,
            std::span<double> log_target) override {
    const Random random(21, stream_id("ring walk", static_cast<std::uint64_t>(step)));
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const auto draw = random.below(4, i);
      const auto move = draw == 0 ? bins - 1 : draw == 1 ? 1 : 0;
      const bool first = i % static_cast<std::size_t>(length) == 0;
      tokens[i] =
          static_cast<std::int32_t>(first ? random.below(bins, i) : (tokens[i - 1] + move) % bins);
    }
    for (std::size_t b = 0; b < log_target.size(); ++b) {
      log_target[b] = 40 + 3 * random.normal_pair(1'000'000 + b)[0];
    }
  }
  double nats() const {  // the entropy of a walk, per coordinate
    const double step = 0.5 * std::log(2.0) + 0.5 * std::log(4.0);
    return (std::log(static_cast<double>(bins)) + static_cast<double>(length - 1) * step) /
           static_cast<double>(length);
  }
};

TrainerOptions small_options() {
  TrainerOptions options;
  options.batch = 22;  // no multiple of the shards, nor the shards of the micro-batch
  options.shards = 4;
  options.micro_batch = 4;
  options.total_steps = 14;
  options.learning_rate = 3e-3;
  options.average_decay = 0.9;
  options.variance_weight = 0.1;
  return options;
}

// All numbers of a checkpoint in one row.
std::vector<double> all_numbers(const Checkpoint& checkpoint) {
  std::vector<double> numbers;
  for (const auto* list : {&checkpoint.weights, &checkpoint.averaged_weights,
                           &checkpoint.first_moments, &checkpoint.second_moments}) {
    for (const auto& [name, tensor] : *list) {
      const auto values = tensor.values();
      numbers.insert(numbers.end(), values.begin(), values.end());
    }
  }
  return numbers;
}

std::vector<double> gradient_of_last_step(
    const Trainer& trainer) {  // with beta1 = 0 the first moment is the gradient
  std::vector<double> numbers;
  for (const auto& [name, tensor] : trainer.checkpoint().first_moments) {
    const auto values = tensor.values();
    numbers.insert(numbers.end(), values.begin(), values.end());
  }
  return numbers;
}

// The gradient of every parameter's middle number, against differences of the reported loss.
void check_gradient_of_loss(double smoothing, bool conditioned) {
  CAPTURE(smoothing);
  RingWalk source;
  source.conditioned = conditioned;
  const auto config = conditioned ? conditioned_config() : small_config();
  auto options = small_options();
  options.label_smoothing = smoothing;
  options.learning_rate = 0;  // the weights stand still; the centre c is set by the first step
  options.clip_norm = 0;
  options.adamw.beta1 = 0;
  options.variance_weight = 0.7;
  options.variance_clip =
      3.0;  // about a standard deviation of the targets: some molecules are beyond it, most not
  Transformer network(config, Backend::reference, 5);
  Trainer first(network, source, options);
  first.train_step();
  const Checkpoint start = first.checkpoint();
  const auto second_step = [&](std::size_t which, double shift) {
    Checkpoint moved = start;
    for (auto& [name, tensor] : moved.weights) tensor = tensor.clone();
    Tensor& weight = moved.weights[which].second;
    weight.data<double>()[weight.elements() / 2] += shift;
    Trainer trainer(network, source, options);
    trainer.resume(moved);
    const auto report = trainer.train_step();
    const auto& gradient =
        find_tensor(trainer.checkpoint().first_moments, moved.weights[which].first);
    return std::pair{report, gradient.values()[static_cast<std::size_t>(weight.elements() / 2)]};
  };
  for (std::size_t which = 0; which < network.parameters().size(); ++which) {
    CAPTURE(network.parameters()[which].name);
    constexpr double h = 1e-4;
    const auto [report, gradient] = second_step(which, 0.0);
    const double numerical =
        (second_step(which, h).first.loss - second_step(which, -h).first.loss) / (2 * h);
    CHECK(gradient == doctest::Approx(numerical).epsilon(1e-5).scale(1e-2));
    CHECK(report.variance > 1);
    if (smoothing > 0) continue;
    CHECK(report.loss ==
          doctest::Approx(report.nats_per_coordinate + 0.7 * report.variance / 6).epsilon(1e-13));
  }
}

TEST_SUITE("fast") {
  TEST_CASE(
      "a run that is killed and resumed from its file gives the weights of one that is not, bit "
      "for bit") {
    const auto path = std::filesystem::temp_directory_path() /
                      ("arbg_trainer_test_" + std::to_string(::getpid()));
    for (const auto& [backend, conditioned] :
         {std::pair{Backend::reference, false}, {Backend::cpu, false}, {Backend::cpu, true}}) {
      RingWalk source;
      source.conditioned = conditioned;
      const auto config = conditioned ? conditioned_config() : small_config();
      auto options = small_options();
      if (conditioned) options.optimizer = OptimizerKind::muon;
      Transformer straight_network(config, backend, 5);
      Trainer straight(straight_network, source, options);
      CHECK(run_training(straight, {}));

      {
        Transformer network(config, backend, 5);
        Trainer trainer(network, source, options);
        RunOptions run;
        run.checkpoint_path = path;
        run.checkpoint_every_steps = 3;
        run.bins = CoordinateBins(6, std::vector<CoordinateBins::Axis>(6, {-3, 3}));
        run.description["molecule"] = "a ring";
        struct Killed {};
        run.on_step = [](const StepReport& report) {
          if (report.step == 8) throw Killed{};  // steps 7 and 8 are lost
        };
        CHECK_THROWS_AS(run_training(trainer, run), Killed);
      }
      const auto saved = Checkpoint::read(path, backend);
      std::filesystem::remove(path);
      CHECK(saved.description.at("molecule").string() == "a ring");
      CHECK(saved.bins->coordinates() == 6);
      Transformer network(saved.config, backend, 99);
      Trainer resumed(network, source, TrainerOptions::from_json(saved.trainer.at("options")));
      resumed.resume(saved);
      CHECK(resumed.step() == 6);
      CHECK(run_training(resumed, {}));
      const auto found = resumed.checkpoint(), expected = straight.checkpoint();
      CHECK(all_numbers(found) == all_numbers(expected));
      CHECK(found.trainer.dump() == expected.trainer.dump());
    }
  }

  TEST_CASE("one thread and three give the same numbers") {
    const int threads = thread_count();
    for (const bool conditioned : {false, true}) {
      std::vector<std::vector<double>> found;
      for (const int count : {1, 3}) {
        set_thread_count(count);
        RingWalk source;
        source.conditioned = conditioned;
        auto options = small_options();
        if (conditioned) options.optimizer = OptimizerKind::muon;
        Transformer network(conditioned ? conditioned_config() : small_config(), Backend::cpu, 5);
        Trainer trainer(network, source, options);
        run_training(trainer, {});
        found.push_back(all_numbers(trainer.checkpoint()));
      }
      CHECK(found[0] == found[1]);
    }
    set_thread_count(threads);
  }

  TEST_CASE("any number of ranks gives the numbers of one, at every rank; the first alone writes") {
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
          Trainer trainer(network, source, options, steady_seconds, ranks);
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

  TEST_CASE("the loss of molecules of different sizes is the mean of their means") {
    RingWalk source;
    source.conditioned = true;
    auto options = small_options();
    options.variance_weight = 0;
    const auto config = conditioned_config();
    Transformer network(config, Backend::reference, 5), copy(config, Backend::reference, 5);
    Trainer trainer(network, source, options);
    std::vector<std::int32_t> tokens(22 * 6);
    source.fill(0, tokens, {});
    const auto log_p =
        copy.log_prob(Tensor::from_indices(tokens, {22, 6}, Backend::reference),
                      source.molecules(0, Backend::reference), DropoutKey{options.seed, 0, 0})
            .value()
            .values();
    double expected = 0;
    for (std::size_t b = 0; b < 22; ++b) {
      const std::size_t positions = b % 3 == 0 ? 3 : 6;
      for (std::size_t t = 0; t < 6; ++t) {
        if (t >= positions) CHECK(log_p[b * 6 + t] == 0);
        expected -= log_p[b * 6 + t] / static_cast<double>(positions * 22);
      }
    }
    CHECK(trainer.train_step().loss == doctest::Approx(expected).epsilon(1e-13));
  }

  TEST_CASE(
      "without the variance term, loss and gradient are those of one graph over the whole batch") {
    RingWalk source;
    auto options = small_options();
    options.variance_weight = 0;
    options.clip_norm = 0;
    options.adamw.beta1 = 0;
    Transformer network(small_config(), Backend::reference, 5);
    Transformer copy(small_config(), Backend::reference, 5);
    Trainer trainer(network, source, options);
    const auto report = trainer.train_step();

    std::vector<std::int32_t> tokens(22 * 6);
    source.fill(0, tokens, {});
    const Variable loss = autograd::scale(autograd::mean_all(copy.log_prob(Tensor::from_indices(
                                              tokens, {22, 6}, Backend::reference))),
                                          -1);
    autograd::backward(loss);
    CHECK(report.loss == doctest::Approx(loss.value().item()).epsilon(1e-13));
    CHECK(report.nats_per_coordinate == report.loss);
    std::vector<double> expected;
    for (const auto& parameter : copy.parameters()) {
      const auto values = parameter.variable.grad().values();
      expected.insert(expected.end(), values.begin(), values.end());
    }
    const auto found = gradient_of_last_step(trainer);
    REQUIRE(found.size() == expected.size());
    double norm = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      REQUIRE(found[i] == doctest::Approx(expected[i]).epsilon(1e-12).scale(1));
      norm += expected[i] * expected[i];
    }
    CHECK(report.gradient_norm == doctest::Approx(std::sqrt(norm)).epsilon(1e-12));
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
    Trainer trainer(network, source, options);
    trainer.train_step();

    std::vector<std::int32_t> tokens(22 * 6);
    source.fill(0, tokens, {});
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

  TEST_CASE(
      "the gradient with smoothed labels and the variance term is the numerical derivative of the "
      "stated loss") {
    for (const auto& [smoothing, conditioned] :
         {std::pair{0.0, false}, std::pair{0.2, false}, std::pair{0.2, true}})
      check_gradient_of_loss(smoothing, conditioned);
  }

  TEST_CASE("the learning rates are the schedule's and the gradient is clipped at its norm") {
    RingWalk source;
    auto options = small_options();
    options.clip_norm = 1e-3;
    options.adamw.beta1 = 0;
    Transformer network(small_config(), Backend::reference, 5);
    Trainer trainer(network, source, options);
    const auto report = trainer.train_step();
    double norm = 0;
    for (const double g : gradient_of_last_step(trainer)) norm += g * g;
    CHECK(report.gradient_norm > 1e-2);
    CHECK(std::sqrt(norm) == doctest::Approx(1e-3).epsilon(1e-3));
    double last = report.learning_rate, largest = last;
    while (!trainer.done()) largest = std::max(largest, last = trainer.train_step().learning_rate);
    CHECK(last == doctest::Approx(3e-3 / 500).epsilon(1e-12));
    CHECK(largest == doctest::Approx(3e-3).epsilon(1e-12));
    CHECK_THROWS_AS(trainer.train_step(), Error);
  }

  TEST_CASE("options survive their JSON, and those a file is too old to have get their defaults") {
    auto options = small_options();
    options.optimizer = OptimizerKind::muon;
    options.schedule = ScheduleKind::constant;
    options.label_smoothing = 0.25;
    options.seed = 18446744073709551615u;
    const Json json = options.to_json();
    CHECK(TrainerOptions::from_json(json).to_json().dump() == json.dump());
    Json old = Json::object();
    for (const auto& [name, value] : json.members()) {
      if (name != "optimizer" && name != "schedule" && name != "label_smoothing") old[name] = value;
    }
    const auto read = TrainerOptions::from_json(old);
    CHECK(read.optimizer == OptimizerKind::adamw);
    CHECK(read.schedule == ScheduleKind::one_cycle);
    CHECK(read.label_smoothing == 0);
    CHECK(read.seed == options.seed);
    old["seed"] = 7;  // a number, as the JSON of other kinds of runs once had it
    CHECK(TrainerOptions::from_json(old).seed == 7);
  }

  TEST_CASE("options that make no sense and checkpoints that do not fit are refused") {
    RingWalk source;
    Transformer network(small_config(), Backend::cpu, 5);
    const auto refused = [&](auto change) {
      auto options = small_options();
      change(options);
      CHECK_THROWS_AS(Trainer(network, source, options), Error);
    };
    refused([](TrainerOptions& o) { o.batch = 3; });
    refused([](TrainerOptions& o) { o.batch = -1; });
    refused([](TrainerOptions& o) { o.micro_batch = 0; });
    refused([](TrainerOptions& o) { o.total_steps = 0; });
    refused([](TrainerOptions& o) { o.learning_rate = std::nan(""); });
    refused([](TrainerOptions& o) { o.adamw.beta2 = 1; });
    refused([](TrainerOptions& o) { o.label_smoothing = 1.5; });
    refused([](TrainerOptions& o) { o.warm_up = -0.1; });
    CHECK_THROWS_AS(optimizer_named("sgd"), Error);
    CHECK_THROWS_AS(schedule_named("linear"), Error);

    Trainer trainer(network, source, small_options());
    Checkpoint model = trainer.checkpoint();
    model.trainer = Json();
    CHECK_THROWS_AS(trainer.resume(model), Error);
    auto other_config = small_config();
    other_config.num_layers = 1;
    Transformer other(other_config, Backend::cpu, 5);
    CHECK_THROWS_AS(Trainer(other, source, small_options()).resume(trainer.checkpoint()), Error);
  }
}

TEST_SUITE("statistical") {
  TEST_CASE("training finds the entropy of a random walk") {
    RingWalk source;
    TrainerOptions options;
    options.batch = 64;
    options.micro_batch = 8;
    options.total_steps = 500;
    options.learning_rate = 1e-2;
    Transformer network(small_config(), Backend::cpu, 5);
    Trainer trainer(network, source, options);
    const double untrained = trainer.train_step().nats_per_coordinate;
    run_training(trainer, {});
    constexpr std::int64_t kHeldOut = 2000;
    std::vector<std::int32_t> tokens(kHeldOut * 6);
    source.fill(1'000'000, tokens, {});
    double mean = 0, squares = 0;
    for (const double log_q : network.log_likelihood(tokens)) {
      mean -= log_q / 6 / kHeldOut;
      squares += log_q * log_q / 36 / kHeldOut;
    }
    const double error = std::sqrt((squares - mean * mean) / kHeldOut);
    CAPTURE(mean);
    CAPTURE(source.nats());
    CAPTURE(error);
    CHECK(untrained > 1.7);                   // log 6 = 1.79: it knew nothing
    CHECK(mean > source.nats() - 4 * error);  // no model beats the entropy
    CHECK(mean < source.nats() + 0.01 + 4 * error);
  }
}

}  // namespace
}  // namespace arbg::nn
