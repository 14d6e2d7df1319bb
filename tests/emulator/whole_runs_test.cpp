// Whole small runs on the emulated device: ten steps of training, a stop and a resumed run, drawing
// and likelihoods, against the cpu. From the third step and the third coordinate on they are
// recordings.
#include <doctest/doctest.h>

#include <cmath>

#include "machine.h"
#include "nn/training/trainer.h"
#include "tensor/base/error.h"
#include "tensor/ops/numbers.h"
#include "tensor/side_by_side.h"
#include "tests/nn/ring_walk.h"
#include "tests/nn/small_networks.h"
#include "tests/sampling/small_generators.h"

namespace arbg::nn {
namespace {

struct Training {
  const char* name;
  OptimizerKind optimizer;
  bool conditioned;
  double smoothing, variance_weight, dropout;
  WithinBins within = WithinBins::uniform;
};
constexpr Training kTrainings[] = {
    {"AdamW, energies", OptimizerKind::adamw, false, 0, 0.1, 0},
    {"AdamW, energies, slopes within bins", OptimizerKind::adamw, false, 0, 0.1, 0,
     WithinBins::sloped},
    {"Muon, smoothed labels", OptimizerKind::muon, false, 0.1, 0, 0},
    {"SOAP, energies", OptimizerKind::soap, false, 0, 0.1, 0},
    {"AdamW, conditioned, padding", OptimizerKind::adamw, true, 0.1, 0.1, 0},
    {"AdamW, dropout", OptimizerKind::adamw, false, 0, 0, 0.2},
};

// Its tokens are the middles of their cells: with slopes, places besides.
struct PlacedWalk : RingWalk {
  void fill(std::int64_t step, std::span<double> z, std::span<double> log_target) override {
    RingWalk::fill(step, z, log_target);
    const Random random(31, stream_id("places", static_cast<std::uint64_t>(step)));
    for (std::size_t i = 0; i < z.size(); ++i) z[i] += random.uniform(i) - 0.5;
  }
};

struct Run {
  explicit Run(const Training& training, Backend backend)
      : head(cells().bins(), {}, training.within),
        network(config_of(training), backend, 5),
        trainer(network, head, source_of(training), options_of(training)) {}

  static TransformerConfig config_of(const Training& training) {
    TransformerConfig config = training.conditioned ? conditioned_config() : small_config();
    config.dropout = training.dropout;
    return config;
  }
  static TrainerOptions options_of(const Training& training) {
    TrainerOptions options = small_options();
    options.batch = 6;
    options.shards = 2;
    options.micro_batch = 2;
    options.total_steps = 10;
    options.optimizer = training.optimizer;
    options.label_smoothing = training.smoothing;
    options.variance_weight = training.variance_weight;
    options.variance_weight_most = 2 * training.variance_weight;
    options.clip_norm = 0.5;
    return options;
  }
  TrainingBatchSource& source_of(const Training& training) {
    source.conditioned = training.conditioned;
    source.batch = 6;
    return source;
  }
  void train_to(std::int64_t step) {
    while (trainer.step() < step) losses.push_back(trainer.train_step().loss);
  }

  PlacedWalk source;
  BinnedHead head;
  Transformer network;
  Trainer trainer;
  std::vector<double> losses;
};

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i])) return INFINITY;
    largest = std::max(largest, std::abs(a[i] - b[i]));
  }
  return largest;
}

// Each begins at a multiple of 256 bytes, and nothing but zeros lies behind it.
void check_padding(const NamedTensors& list) {
  REQUIRE_FALSE(list.empty());
  for (const auto& named : list) {
    CAPTURE(named.first);
    const Tensor& tensor = named.second;
    CHECK(tensor.first_number() % 64 == 0);
    const auto all = tensor.whole().values();
    CHECK(all.size() % 64 == 0);
    for (auto i = static_cast<std::size_t>(tensor.first_number() + tensor.elements()); i % 64 != 0;
         ++i)
      CHECK(all[i] == 0);
  }
}

std::int64_t asked_by(const std::function<void()>& work) {
  const auto before = emulator::times_asked();
  work();
  return emulator::times_asked() - before;
}

// What a step of one shard asks of the device: recorded, and beside the recording.
std::int64_t asked_by_a_step(std::int64_t layers) {
  TransformerConfig config = small_config();
  config.num_layers = layers;
  TrainerOptions options = small_options();
  options.batch = 2;
  options.shards = 1;
  RingWalk source;
  source.batch = 2;
  const BinnedHead head = cells();
  Transformer network(config, Backend::cuda, 5);
  Trainer trainer(network, head, source, options);
  for (int step = 0; step < 2; ++step) trainer.train_step();
  return asked_by([&] { trainer.train_step(); });
}

TEST_SUITE("fast") {
  TEST_CASE("what is done to every number of the network takes a launch for each of three kinds") {
    Transformer network(small_config(), Backend::cuda, 5);
    const auto& parameters = network.parameters();
    AdamW adamw(parameters, {});
    WeightAverage average(parameters, 0.9);
    network.keep_gradients();
    CHECK(asked_by([&] { network.clear_gradients(); }) == 3);
    const Tensor scale = tensor::make_numbers(std::array{1.0}, Backend::cuda);
    adamw.set_step(1e-3, 1);
    average.set_step(1);
    auto gradients = gradients_of(parameters);
    for (Tensor& gradient : gradients) gradient.fill(0.5);
    CHECK(asked_by([&] { adamw.update(gradients, scale); }) == 3);
    CHECK(asked_by([&] { average.update(scale); }) == 3);
    for (const auto& list :
         {network.values(), adamw.first_moments(), adamw.second_moments(), average.values()})
      check_padding(list);
    const Transformer host(small_config(), Backend::cpu, 5);
    CHECK(tensor::one_of_each_storage(values_of(host.parameters())).size() == parameters.size());
  }

  TEST_CASE("a step asks the device for nothing more of a layer than its own work") {
    const auto two = asked_by_a_step(2), four = asked_by_a_step(4);
    CHECK(two <= 130);
    CHECK((four - two) / 2 <= 36);
  }

  TEST_CASE("ten steps on the device are the cpu's, and a resumed run is one that never stopped") {
    for (const Training& training : kTrainings) {
      CAPTURE(std::string(training.name));
      Run host(training, Backend::cpu), device(training, Backend::cuda);
      host.train_to(10);
      device.train_to(10);
      CHECK(largest_difference(device.losses, host.losses) < 1e-5);
      check_padding(device.network.values());
      Run first(training, Backend::cuda), second(training, Backend::cuda);
      first.train_to(5);
      second.trainer.resume(first.trainer.checkpoint());
      second.train_to(10);
      CHECK(all_numbers(second.trainer.checkpoint()) == all_numbers(device.trainer.checkpoint()));
    }
  }

  TEST_CASE("a gradient that is not finite changes nothing") {
    Run run(kTrainings[0], Backend::cuda);
    run.train_to(4);
    Tensor weight = run.network.parameters()[0].variable.value();
    weight.fill(INFINITY);
    const auto before = all_numbers(run.trainer.checkpoint());
    CHECK_THROWS_WITH_AS(run.trainer.train_step(), doctest::Contains("training diverged"), Error);
    CHECK(all_numbers(run.trainer.checkpoint()) == before);
  }

  TEST_CASE("a coordinate outside in the middle of a recorded run ends it, and changes nothing") {
    for (const Training& training : kTrainings) {
      if (training.conditioned) continue;  // not recorded
      CAPTURE(std::string(training.name));
      Run run(training, Backend::cuda);
      run.source.outside_at = 4;
      run.train_to(4);
      const auto before = all_numbers(run.trainer.checkpoint());
      CHECK_THROWS_WITH_AS(run.trainer.train_step(),
                           doctest::Contains("training diverged: at step 5 the loss is inf"),
                           Error);
      CHECK(all_numbers(run.trainer.checkpoint()) == before);
      run.source.outside_at = -1;
      CHECK(std::isfinite(run.trainer.train_step().loss));
    }
  }

  TEST_CASE("out of memory: what was asked for, and a batch that would fit") {
    struct Limit {
      explicit Limit(std::size_t bytes) { emulator::set_memory(bytes); }
      ~Limit() { emulator::set_memory(~std::size_t{0}); }
    };
    Run run(kTrainings[0], Backend::cuda);
    const Limit limit(emulator::memory_taken() + 2000);
    CHECK_THROWS_WITH_AS(run.trainer.train_step(),
                         doctest::Contains("out of memory on an emulated device: "), Error);
    CHECK_THROWS_WITH_AS(run.trainer.train_step(),
                         doctest::Contains("; a pass has 2 molecules, 1 should fit: "
                                           "--micro-batch 1"),
                         Error);
  }
}

}  // namespace
}  // namespace arbg::nn

namespace arbg::sampling {
namespace {

TEST_SUITE("fast") {
  TEST_CASE(
      "samples of the device have the log q of the cpu, drawn one by one from one recording") {
    SampleOptions options;
    options.count = 20;
    options.lanes = 7;
    for (const nn::Decoding& decoding : {nn::Decoding{}, nn::Decoding{0.9, 3, 1, 0.1}}) {
      const auto device = three_atoms(8, Backend::cuda), host = three_atoms(8, Backend::cpu);
      const auto drawn = device.sample(options, decoding);
      REQUIRE(drawn.count() == 20);
      const auto of_device = device.log_density(drawn.coordinates, decoding),
                 of_host = host.log_density(drawn.coordinates, decoding);
      for (std::size_t i = 0; i < of_host.size(); ++i) {
        CHECK(drawn.log_q[i] == doctest::Approx(of_host[i]).epsilon(1e-5));
        CHECK(of_device[i] == doctest::Approx(of_host[i]).epsilon(1e-5));
      }
    }
  }
}

}  // namespace
}  // namespace arbg::sampling
