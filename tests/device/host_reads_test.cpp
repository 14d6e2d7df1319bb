// What a device is asked for: a training step, a draw and a likelihood on the stub, whose memory no
// pointer of the host can follow (stub_device.h). Their numbers are the cpu's, bit for bit.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "nn/optimizer/matrices.h"
#include "nn/training/trainer.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/threads.h"
#include "tensor/device/buffer.h"
#include "tensor/ops/add.h"
#include "tests/device/stub_device.h"
#include "tests/nn/ring_walk.h"
#include "tests/nn/small_networks.h"
#include "tests/sampling/small_generators.h"

namespace arbg::tensor {
namespace {

// One thread, as the stub asks, for as long as it lives.
struct OneThread {
  int before = thread_count();
  OneThread() { set_thread_count(1); }
  ~OneThread() { set_thread_count(before); }
};

// How a child process ends that reads the byte.
bool reading_is_stopped(const std::byte* byte) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);
    ::_exit(static_cast<int>(*const_cast<const volatile std::byte*>(byte)));
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

// No kernel runs after the first number has been read.
bool reads_come_last(const std::vector<StubEvent>& events) {
  const auto first = std::ranges::find(events, StubEvent::download, &StubEvent::kind);
  return std::find_if(first, events.end(), [](const StubEvent& event) {
           return event.kind == StubEvent::kernel;
         }) == events.end();
}

constexpr std::size_t kReal = sizeof(float), kIndex = sizeof(std::int32_t), kLog = sizeof(double);

TEST_SUITE("fast") {
  TEST_CASE("the memory of the stub is closed to the host, and open to its kernels") {
    const OneThread one;
    const Buffer buffer(64, {kStub}), host(64, {Backend::cpu});
    CHECK(reading_is_stopped(buffer.address()));
    CHECK_FALSE(reading_is_stopped(host.address()));
    const Tensor x = Tensor::from_values(std::vector{1.0, 2.0}, {2}, kStub);
    CHECK_THROWS_WITH_AS(x.host_data<float>(),
                         "the numbers of the tensor of shape [2] are on the device cuda; read them "
                         "with values() or indices()",
                         Error);
    take_stub_events();
    CHECK(add(x, x).values() == std::vector{2.0, 4.0});
    const auto events = take_stub_events();
    REQUIRE(events.size() == 2);
    CHECK(events[0].kind == StubEvent::kernel);
    CHECK(events[1].kind == StubEvent::download);
    CHECK(events[1].bytes == 2 * kReal);
  }
}

}  // namespace
}  // namespace arbg::tensor

namespace arbg::nn {
namespace {

using tensor::bytes_of, tensor::kStub, tensor::OneThread, tensor::StubEvent,
    tensor::take_stub_events;
using tensor::kIndex, tensor::kLog, tensor::kReal;

struct Training {
  const char* name;
  OptimizerKind optimizer;
  bool conditioned;
  double smoothing;
  WithinBins within = WithinBins::uniform;
};
constexpr Training kTrainings[] = {
    {"AdamW", OptimizerKind::adamw, false, 0},
    {"Muon", OptimizerKind::muon, false, 0},
    {"SOAP", OptimizerKind::soap, false, 0},
    {"AdamW, smoothed labels", OptimizerKind::adamw, false, 0.1},
    {"AdamW, slopes within bins", OptimizerKind::adamw, false, 0, WithinBins::sloped},
    {"AdamW, conditioned", OptimizerKind::adamw, true, 0.1},
    {"Muon, conditioned", OptimizerKind::muon, true, 0},
};

TrainerOptions options_of(const Training& training) {
  TrainerOptions options = small_options();
  options.optimizer = training.optimizer;
  options.label_smoothing = training.smoothing;
  options.clip_norm = 0.01;
  return options;
}

// The numbers of a trainer after three steps; what the steps carry.
std::vector<double> trained(const Training& training, Backend backend,
                            std::vector<StubEvent>& events) {
  RingWalk source;
  source.conditioned = training.conditioned;
  Transformer network(training.conditioned ? conditioned_config() : small_config(), backend, 5);
  const BinnedHead head(cells().bins(), {}, training.within);
  Trainer trainer(network, head, source, options_of(training));
  take_stub_events();
  for (int step = 0; step < 3; ++step) trainer.train_step();
  events = take_stub_events();
  return all_numbers(trainer.checkpoint());
}

// Real numbers that SOAP fetches and writes where its bases follow: of each matrix the moments, of
// each side squares (fetched alone) and basis.
struct Followed {
  std::size_t down = 0, up = 0;
};
Followed followed_by_soap() {
  Followed out;
  const Transformer network(small_config(), Backend::cpu, 5);
  for (const Parameter& parameter : network.parameters()) {
    if (!is_matrix(parameter)) continue;
    const auto R = static_cast<std::size_t>(parameter.variable.value().extent(0)),
               C = static_cast<std::size_t>(parameter.variable.value().extent(1));
    out.down += 2 * R * C + 2 * (R * R + C * C);
    out.up += 2 * R * C + R * R + C * C;
  }
  return out;
}

TEST_SUITE("fast") {
  TEST_CASE(
      "a step reads one log q a molecule, that of draws, a smoothing sum, and the gradient's "
      "norm") {
    const OneThread one;
    for (const Training& training : kTrainings) {
      CAPTURE(std::string(training.name));
      std::vector<StubEvent> none, events;
      const auto expected = trained(training, Backend::cpu, none);
      CHECK(none.empty());
      CHECK(trained(training, kStub, events) == expected);
      const bool sloped = training.within == WithinBins::sloped;
      const std::size_t B = 22, T = 6, sums = 1 + (training.smoothing > 0) + sloped;
      const bool soap = training.optimizer == OptimizerKind::soap;
      const Followed followed = soap ? followed_by_soap() : Followed{};
      CHECK(bytes_of(events, StubEvent::download) ==
            3 * (sums * B + 1) * kLog + followed.down * kReal);
      // What a position is fed with and what it is judged by; of a molecule its length and two
      // numbers of the loss; of the step three of the loss, two sets of AdamW's, two of Muon's, and
      // the rate of the average. SOAP has six numbers of Adam, two and one besides, and its
      // bases follow once, before the second step.
      const std::size_t of_molecule = 2 * T * kIndex + kIndex + 2 * kLog;
      const std::size_t of_step =
          3 + 2 * 6 + 1 + (training.optimizer == OptimizerKind::muon ? 2 : 0) + (soap ? 9 : 0);
      // With slopes, places within bins besides, and once which coordinates go round.
      if (!training.conditioned && training.smoothing == 0)
        CHECK(bytes_of(events, StubEvent::upload) ==
              3 * (B * of_molecule + of_step * kLog + kIndex) +
                  (sloped ? 3 * B * T * kLog + T * kIndex : 0) + followed.up * kReal);
    }
  }

  TEST_CASE("a likelihood reads one number a molecule") {
    const OneThread one;
    for (const auto& config : configs()) {
      const auto tokens = random_tokens(config, 5, 1);
      const auto log_q = [&](Backend backend) {
        const auto network = lively_network(config, backend);
        const auto molecules = molecules_for(config, 5, backend);
        take_stub_events();
        return network.log_likelihood(tokens, 2, molecules);
      };
      const auto found = log_q(kStub);
      const auto events = take_stub_events();
      CHECK(bytes_of(events, StubEvent::download) == 5 * kLog);
      const auto T = static_cast<std::size_t>(config.length());
      if (!config.conditioning) CHECK(bytes_of(events, StubEvent::upload) == 5 * T * kIndex);
      CHECK(found == log_q(Backend::cpu));
    }
  }

  TEST_CASE("drawing and resampling read nothing until the end") {
    const OneThread one;
    for (const auto& config : configs()) {
      const auto network = lively_network(config, kStub);
      KvCache cache = network.make_cache(3, molecules_for(config, 3, kStub));
      const std::vector<std::int64_t> from = {2, 0, 2};
      tensor::Drawn drawn;
      take_stub_events();
      for (std::int64_t t = 0; t < config.length(); ++t) {
        const Tensor logits = network.next_logits(drawn.index, cache);
        drawn = tensor::draw_categorical(logits, {}, Random(4, 1), {}, cache.place());
        if (t == 2) cache.select(from);
      }
      CHECK(bytes_of(take_stub_events(), StubEvent::download) == 0);
      CHECK(drawn.index.indices().size() == 3);
    }
  }

  TEST_CASE("a checkpoint from a device is the cpu's, byte for byte, and goes on there") {
    const OneThread one;
    const auto path = std::filesystem::temp_directory_path() /
                      ("arbg_device_checkpoint_test_" + std::to_string(::getpid()));
    std::vector<std::string> bytes;
    for (const Backend backend : {Backend::cpu, kStub}) {
      RingWalk source;
      Transformer network(small_config(), backend, 5);
      Trainer trainer(network, cells(), source, small_options());
      trainer.train_step();
      Checkpoint checkpoint = trainer.checkpoint();
      checkpoint.trainer["spent_s"] = 0;
      checkpoint.write(path);
      bytes.push_back(read_file(path));
      trainer.resume(Checkpoint::read(path, backend));
      CHECK(trainer.train_step().step == 2);
    }
    CHECK(bytes[0] == bytes[1]);
    std::filesystem::remove(path);
  }
}

}  // namespace
}  // namespace arbg::nn

namespace arbg::sampling {
namespace {

using namespace tensor;

TEST_SUITE("fast") {
  TEST_CASE("samples are read when all their coordinates have been drawn, a density once a pass") {
    const OneThread one;
    constexpr std::size_t B = 300, kPasses = 2;  // of at most 256 rows
    SampleOptions options;
    options.count = options.lanes = B;
    for (const Decoding& decoding : {Decoding{}, Decoding{0.9, 3, 1, 0.1}}) {
      const auto expected = three_atoms(8, Backend::cpu).sample(options, decoding);
      const auto generator = three_atoms(8, kStub);
      take_stub_events();
      const auto samples = generator.sample(options, decoding);
      const auto events = take_stub_events();
      const auto K = static_cast<std::size_t>(generator.map().size());
      CHECK(reads_come_last(events));
      CHECK(bytes_of(events, StubEvent::download) == B * K * (kIndex + kLog));
      CHECK(bytes_of(events, StubEvent::upload) ==
            (B + 1) * kIndex);  // start tokens, and the place
      CHECK(samples.coordinates == expected.coordinates);
      CHECK(samples.log_q == expected.log_q);
      const auto log_q = generator.log_density(samples.coordinates, decoding);
      const auto of_density = take_stub_events();
      const std::size_t numbers = decoding == Decoding{} ? 1 : K;  // a row: the sum, or its terms
      CHECK(bytes_of(of_density, StubEvent::download) == B * numbers * kLog);
      CHECK(std::ranges::count(of_density, StubEvent::download, &StubEvent::kind) == kPasses);
      CHECK(of_density.back().kind == StubEvent::download);
      CHECK(log_q == three_atoms(8, Backend::cpu).log_density(samples.coordinates, decoding));
    }
  }

  TEST_CASE("slopes within bins are read with the draws, at the end") {
    const OneThread one;
    constexpr std::size_t B = 20;
    SampleOptions options;
    options.count = options.lanes = B;
    const auto expected = three_atoms(8, Backend::cpu, nn::WithinBins::sloped).sample(options);
    const auto generator = three_atoms(8, kStub, nn::WithinBins::sloped);
    take_stub_events();
    const auto samples = generator.sample(options);
    const auto events = take_stub_events();
    const auto K = static_cast<std::size_t>(generator.map().size());
    CHECK(reads_come_last(events));
    CHECK(bytes_of(events, StubEvent::download) == B * K * (kIndex + 2 * kLog));
    CHECK(bytes_of(events, StubEvent::upload) == (B + 1 + K) * kIndex);  // which bins go round
    CHECK(samples.coordinates == expected.coordinates);
    CHECK(samples.log_q == expected.log_q);
  }
}

}  // namespace
}  // namespace arbg::sampling
