// Training: the stated loss and its gradient, of the reference in double, and resuming bit for bit.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "autograd/functions.h"
#include "nn/training/trainer_run.h"
#include "tensor/base/error.h"
#include "tensor/ops/place.h"
#include "tests/backends.h"
#include "tests/nn/ring_walk.h"

namespace arbg::nn {
namespace {

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
  Trainer first(network, cells(), source, options);
  first.train_step();
  const Checkpoint start = first.checkpoint();
  const auto second_step = [&](std::size_t which, double shift) {
    Checkpoint moved = start;
    for (auto& [name, tensor] : moved.weights) tensor = tensor.clone();
    Tensor& weight = moved.weights[which].second;
    weight.host_data<double>()[weight.elements() / 2] += shift;
    Trainer trainer(network, cells(), source, options);
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
    std::vector<std::pair<Backend, bool>> rows;
    for (const Backend backend : backends_here()) {
      rows.emplace_back(backend, false);
      if (backend != Backend::reference) rows.emplace_back(backend, true);  // there it takes long
    }
    for (const auto& [backend, conditioned] : rows) {
      RingWalk source;
      source.conditioned = conditioned;
      const auto config = conditioned ? conditioned_config() : small_config();
      auto options = small_options();
      if (conditioned) options.optimizer = OptimizerKind::muon;
      options.variance_weight_most = 0.5;
      Transformer straight_network(config, backend, 5);
      Trainer straight(straight_network, cells(), source, options);
      CHECK(run_training(straight, {}));

      {
        Transformer network(config, backend, 5);
        Trainer trainer(network, cells(), source, options);
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
      Trainer resumed(network, cells(), source,
                      TrainerOptions::from_json(saved.trainer.at("options")));
      resumed.resume(saved);
      CHECK(resumed.step() == 6);
      CHECK(run_training(resumed, {}));
      const auto found = resumed.checkpoint(), expected = straight.checkpoint();
      CHECK(all_numbers(found) == all_numbers(expected));
      CHECK(found.trainer.dump() == expected.trainer.dump());
    }
  }

  TEST_CASE("the loss of molecules of different sizes is the mean of their means") {
    RingWalk source;
    source.conditioned = true;
    auto options = small_options();
    options.variance_weight = 0;
    const auto config = conditioned_config();
    Transformer network(config, Backend::reference, 5), copy(config, Backend::reference, 5);
    Trainer trainer(network, cells(), source, options);
    std::vector<std::int32_t> tokens(22 * 6);
    source.fill_tokens(0, tokens, {});
    const auto log_p =
        copy.log_prob(Tensor::from_indices(tokens, {22, 6}, Backend::reference),
                      source.molecules(0, Backend::reference),
                      DropoutKey{options.seed, tensor::make_place(0, Backend::reference), 0})
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
    Trainer trainer(network, cells(), source, options);
    const auto report = trainer.train_step();

    std::vector<std::int32_t> tokens(22 * 6);
    source.fill_tokens(0, tokens, {});
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

  TEST_CASE(
      "the gradient with smoothed labels and the variance term is the numerical derivative of the "
      "stated loss") {
    for (const auto& [smoothing, conditioned] :
         {std::pair{0.0, false}, std::pair{0.2, false}, std::pair{0.2, true}})
      check_gradient_of_loss(smoothing, conditioned);
  }

  TEST_CASE(
      "the weight of the variance term is one over the mean square before, within its limits") {
    // Of the third step: the mean square is that of the second, the first with a centre.
    for (const auto& [least, most] :
         {std::pair{0.01, 1.0}, std::pair{0.01, 0.02}, std::pair{2.0, 3.0}, std::pair{0.3, 0.0}}) {
      RingWalk source;
      auto options = small_options();
      options.learning_rate = 0;
      options.variance_weight = least;
      options.variance_weight_most = most;
      options.variance_clip = 1000;
      CAPTURE(options.variance_weight_most);
      Transformer network(small_config(), Backend::reference, 5);
      Trainer trainer(network, cells(), source, options);
      trainer.train_step();
      const auto weight_of = [](const StepReport& report) {
        return 6 * (report.loss - report.nats_per_coordinate) / report.variance;
      };
      const auto second = trainer.train_step(), third = trainer.train_step();
      const double mean_square = 2 * second.variance;
      REQUIRE(mean_square > 2);
      CHECK(weight_of(second) == doctest::Approx(least).epsilon(1e-10));
      CHECK(weight_of(third) ==
            doctest::Approx(most > least ? std::clamp(1 / mean_square, least, most) : least)
                .epsilon(1e-10));
    }
  }

  TEST_CASE("that mean square is a running mean of clipped squares") {
    RingWalk source;
    source.batch = 1;
    auto options = small_options();
    options.batch = options.shards = 1;
    options.learning_rate = 0;
    options.variance_weight = 1e-3;
    options.variance_weight_most = 1e3;
    options.variance_clip = 3;
    Transformer network(small_config(), Backend::reference, 5);
    Trainer trainer(network, cells(), source, options);
    trainer.train_step();
    double mean_square = 0;
    bool clipped = false, whole = false;
    for (int step = 2; step <= 10; ++step) {
      const auto report = trainer.train_step();
      CAPTURE(step);
      CHECK(report.variance_weight ==
            doctest::Approx(step == 2 ? 1e-3 : 1 / mean_square).epsilon(1e-10));
      // Of one molecule: d^2 = 2 H up to the clip.
      const double square = std::min(2 * report.variance, 9.0);
      (square == 9 ? clipped : whole) = true;
      mean_square += (step == 2 ? 1 : 0.05) * (square - mean_square);
    }
    CHECK(clipped);
    CHECK(whole);
  }

  TEST_CASE("the learning rates are the schedule's and the gradient is clipped at its norm") {
    RingWalk source;
    auto options = small_options();
    options.clip_norm = 1e-3;
    options.adamw.beta1 = 0;
    Transformer network(small_config(), Backend::reference, 5);
    Trainer trainer(network, cells(), source, options);
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

  TEST_CASE("a micro-batch that the trainer chooses is stored as its choice") {
    RingWalk source;
    auto options = small_options();
    options.micro_batch = 0;
    Transformer network(small_config(), Backend::cpu, 5);
    const Trainer trainer(network, cells(), source, options);
    CHECK(trainer.checkpoint().trainer.at("options").dump() == options.to_json().dump());
  }

  TEST_CASE("a batch whose loss is not finite changes no weight and no state") {
    for (const Backend backend : backends_here()) {
      RingWalk source;
      source.outside_at = 1;
      Transformer network(small_config(), backend, 5);
      Trainer trainer(network, cells(), source, small_options());
      trainer.train_step();
      const auto before = all_numbers(trainer.checkpoint());
      CHECK_THROWS_WITH_AS(trainer.train_step(), doctest::Contains("the loss is inf"), Error);
      CHECK(all_numbers(trainer.checkpoint()) == before);
      source.outside_at = -1;
      CHECK(std::isfinite(trainer.train_step().loss));
    }
  }

  TEST_CASE("options that make no sense and checkpoints that do not fit are refused") {
    RingWalk source;
    Transformer network(small_config(), Backend::cpu, 5);
    const auto refused = [&](auto change) {
      auto options = small_options();
      change(options);
      CHECK_THROWS_AS(Trainer(network, cells(), source, options), Error);
    };
    refused([](TrainerOptions& o) { o.batch = 3; });
    refused([](TrainerOptions& o) { o.batch = -1; });
    refused([](TrainerOptions& o) { o.micro_batch = -1; });
    refused([](TrainerOptions& o) { o.total_steps = 0; });
    refused([](TrainerOptions& o) { o.learning_rate = std::nan(""); });
    refused([](TrainerOptions& o) { o.adamw.beta2 = 1; });
    refused([](TrainerOptions& o) { o.label_smoothing = 1.5; });
    refused([](TrainerOptions& o) { o.warm_up = -0.1; });
    refused([](TrainerOptions& o) { o.variance_weight_most = -1; });
    refused([](TrainerOptions& o) { o.variance_weight = 0, o.variance_weight_most = 1; });
    for (const auto kind : {OptimizerKind::adamw, OptimizerKind::muon, OptimizerKind::soap})
      CHECK(optimizer_named(name_of(kind)) == kind);
    CHECK_FALSE(optimizer_named("sgd").has_value());
    Json options = small_options().to_json();
    options["optimizer"] = "sgd";
    CHECK_THROWS_AS(TrainerOptions::from_json(options), Error);
    CHECK_THROWS_AS(schedule_named("linear"), Error);

    Trainer trainer(network, cells(), source, small_options());
    Checkpoint model = trainer.checkpoint();
    model.trainer = Json();
    CHECK_THROWS_AS(trainer.resume(model), Error);
    auto other_config = small_config();
    other_config.num_layers = 1;
    Transformer other(other_config, Backend::cpu, 5);
    CHECK_THROWS_AS(Trainer(other, cells(), source, small_options()).resume(trainer.checkpoint()),
                    Error);
    const BinnedHead finer = make_cells(7, 6), shorter = make_cells(6, 5);
    CHECK_THROWS_AS(Trainer(network, finer, source, small_options()), Error);
    CHECK_THROWS_AS(Trainer(network, shorter, source, small_options()), Error);
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
    Trainer trainer(network, cells(), source, options);
    const double untrained = trainer.train_step().nats_per_coordinate;
    run_training(trainer, {});
    constexpr std::int64_t kHeldOut = 2000;
    std::vector<std::int32_t> tokens(kHeldOut * 6);
    source.fill_tokens(1'000'000, tokens, {});
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
