// A refinement of a small molecule: rounds, going on from a state, and when it stops. On the cpu
// alone: no statement is about its arithmetic.
#include "sampling/training/refinement.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>

#include "sampling/targets/target.h"
#include "tensor/base/error.h"
#include "tests/sampling/small_generators.h"
#include "tests/tensor/thread_ranks.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

constexpr std::int64_t kStartEnergies = 7;

RefinementOptions small_options() {
  RefinementOptions options;
  options.walkers = 32;
  options.warm_up = 20;  // two sweeps of 8 and one of 4
  options.rounds = 3;
  options.samples = 16;
  options.moves = 2;
  options.steps = 3;
  options.patience = 0;
  options.trainer.batch = 8;
  options.trainer.micro_batch = 8;
  options.trainer.average_decay = 0.5;
  options.trainer.variance_weight = 0.3;
  return options;
}

struct Setting {
  md::Molecule molecule = chain(3, 0.012, 0.4);
  Target target{molecule.topology, molecule.system, kTemperature};
  nn::Checkpoint start;

  Setting() {
    const auto map = md::make_internal_map(molecule.topology, molecule.system, kTemperature);
    start.config = config_of(*map, 16);
    start.bins = bins_of(*map, 16);
    start.description["coordinate_map"] = map->to_json();
    start.description["molecule"] = "three atoms";
    start.weights = nn::Transformer(start.config, nn::Backend::cpu, 3).values();
  }
  Refinement refinement(RefinementOptions options = small_options(),
                        const Ranks& ranks = Ranks::alone()) const {
    return {start, target, std::move(options), nn::Backend::cpu, kStartEnergies, {}, ranks};
  }
};

void warm(Refinement& refinement) {
  while (!refinement.warmed_up()) REQUIRE(refinement.warm_up());
}

void check_same(const Refinement& a, const Refinement& b) {
  const auto x = a.state(), y = b.state();
  CHECK(x.walkers == y.walkers);
  CHECK(x.eps == y.eps);
  CHECK(x.energies == y.energies);
  CHECK(x.warm_up_moves == y.warm_up_moves);
  REQUIRE(x.history.size() == y.history.size());
  for (std::size_t r = 0; r < x.history.size(); ++r) {
    CHECK(x.history[r].round == static_cast<std::int64_t>(r));
    CHECK(x.history[r].energies == y.history[r].energies);
    CHECK(x.history[r].moved == y.history[r].moved);
    CHECK(x.history[r].exchanged == y.history[r].exchanged);
    CHECK(x.history[r].weights.log_z == y.history[r].weights.log_z);
    CHECK(x.history[r].nats == y.history[r].nats);
  }
  const auto p = a.checkpoint(), q = b.checkpoint();
  REQUIRE(p.weights.size() == q.weights.size());
  for (std::size_t i = 0; i < p.weights.size(); ++i) {
    CHECK(p.weights[i].second.values() == q.weights[i].second.values());
    CHECK(p.averaged_weights[i].second.values() == q.averaged_weights[i].second.values());
  }
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("a refinement goes on from any state bit for bit, in its warm-up and after a round") {
  const Setting setting;
  auto whole = setting.refinement();
  REQUIRE(whole.begin());
  REQUIRE(whole.warm_up());
  const auto in_warm_up = whole.state();
  CHECK(in_warm_up.warm_up_moves == 8);
  warm(whole);
  REQUIRE(whole.advance());
  const auto after_round = whole.state();
  const auto trained = whole.checkpoint();
  REQUIRE(whole.advance());

  auto from_warm_up = setting.refinement();
  from_warm_up.resume_warm_up(in_warm_up);
  warm(from_warm_up);
  REQUIRE(from_warm_up.advance());
  REQUIRE(from_warm_up.advance());
  check_same(whole, from_warm_up);

  auto from_round = setting.refinement();
  from_round.resume(after_round, trained);
  CHECK(from_round.warmed_up());
  REQUIRE(from_round.advance());
  check_same(whole, from_round);
}

TEST_CASE("ranks that share a refinement all have what one has") {
  const Setting setting;
  auto options = small_options();
  options.walkers = 200;  // in four parts
  options.trainer.shards = 5;
  auto whole = setting.refinement(options);
  REQUIRE(whole.begin());
  warm(whole);
  REQUIRE(whole.advance());
  REQUIRE(whole.advance());
  const auto weights = whole.judge(50);
  for (const int count : {2, 3, 6}) {
    CAPTURE(count);
    std::vector<std::unique_ptr<Refinement>> parts(static_cast<std::size_t>(count));
    on_ranks(count, [&](const Ranks& ranks) {
      auto& part = parts[static_cast<std::size_t>(ranks.rank())];
      part.reset(new Refinement(setting.refinement(options, ranks)));  // it does not move
      CHECK(part->begin());
      while (!part->warmed_up()) CHECK(part->warm_up());
      CHECK(part->advance());
      CHECK(part->advance());
      CHECK(part->judge(50)->log_z == weights->log_z);
    });
    for (const auto& part : parts) check_same(whole, *part);
  }
}

TEST_CASE("every energy is counted; the steps of a round are told; all rounds made is done") {
  const Setting setting;
  const auto options = small_options();
  auto refinement = setting.refinement();
  CHECK_THROWS_WITH_AS(refinement.advance(), doctest::Contains("warmed up"), Error);
  CHECK(refinement.energies() == kStartEnergies);
  REQUIRE(refinement.begin());
  CHECK_FALSE(refinement.warmed_up());
  warm(refinement);
  const std::int64_t before = kStartEnergies + options.walkers * (1 + options.warm_up);
  CHECK(refinement.energies() == before);
  std::vector<std::int64_t> steps;
  for (std::int64_t round = 1; round <= options.rounds; ++round) {
    CHECK_FALSE(refinement.done());
    REQUIRE(refinement.advance(
        [&](const RefinementRound&, std::int64_t step) { steps.push_back(step); }));
    CHECK(refinement.energies() ==
          before + round * (options.samples + options.moves * options.walkers));
  }
  CHECK(steps == std::vector<std::int64_t>{1, 2, 3, 1, 2, 3, 1, 2, 3});
  CHECK(refinement.done());
  CHECK(refinement.history().back().seconds > 0);
  CHECK(refinement.checkpoint().description.at("molecule").string() == "three atoms");
  const auto energies = refinement.energies();
  const auto weights = refinement.judge(50);
  REQUIRE(weights.has_value());
  CHECK(weights->count == 50);
  CHECK(refinement.energies() == energies);  // of fresh samples that nothing learns from
}

TEST_CASE("without a warm-up the first round follows the samples") {
  const Setting setting;
  auto options = small_options();
  options.warm_up = 0;
  auto refinement = setting.refinement(options);
  CHECK_FALSE(refinement.warmed_up());
  REQUIRE(refinement.begin());
  CHECK(refinement.warmed_up());
  CHECK(refinement.advance());
}

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
