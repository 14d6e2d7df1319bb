// Reflected samples: consistent with the density of both ways there, biased with the old one.
#include "sampling/proposals/mirror_images.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "metrics/weights.h"
#include "tests/md/error_message.h"
#include "tests/sampling/small_generators.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

constexpr double kBondWidth = 0.04, kScale = 0.07;

// A centre with three neighbours on springs: no angle is stiff, either hand is as likely.
md::Molecule star() {
  auto m = md::molecule({"N", "CA", "C", "CB"}, {{0, 1}, {1, 2}, {1, 3}},
                        kRt / (kBondWidth * kBondWidth), 0);
  m.system.nonbonded.assign(4, {0, 0.1, 0});
  return m;
}

// Near normal coordinates of each atom, with conditionals that depend on what was drawn before, so
// that z and -z are not equally likely.
Generator proposal() {
  auto map = md::make_cartesian_map(4, kScale, 4.5);
  nn::Transformer network(config_of(*map, 32), nn::Backend::cpu, 3);
  auto axes = bins_of(*map, 32);
  std::vector<double> counts;
  for (std::int64_t j = 0; j < axes.coordinates(); ++j) {
    for (int v = 0; v < 32; ++v) {
      const double y = axes.axis(j).low + (v + 0.5) * axes.width(j);
      counts.push_back(1000 * std::exp(-0.5 * std::pow((y - 0.2) / 1.3, 2)));
    }
  }
  network.initialise_from_marginals(counts);
  stir(network, "output_proj", 0.1);
  return {std::move(network), std::move(axes), std::move(map)};
}

metrics::WeightSummary weigh(const Samples& samples, const Target& target) {
  return metrics::summarise_weights(
      log_weights(target.reduced_energy(samples.positions_nm), samples.log_volume, samples.log_q));
}

}  // namespace

TEST_SUITE_BEGIN("statistical");

TEST_CASE("weights average to Z of the right hand, reflected or not; with the old log q to 2 Z") {
  const auto m = star();
  const Target target(m.topology, m.system, kTemperature);
  const auto generator = proposal();
  SampleOptions options;
  options.count = 60000;
  options.seed = 7;
  const Samples drawn = generator.sample(options);

  // Shapes of the right hand: three bonds, sin theta of two angles, half of the dihedrals.
  constexpr int kIntervals = 2000;
  double bond = 0;
  for (int i = 0; i < kIntervals; ++i) {
    const double r = 0.6 * (i + 0.5) / kIntervals;
    bond += 0.6 / kIntervals * r * r * std::exp(-0.5 * std::pow((r - kLength) / kBondWidth, 2));
  }
  const double log_z = 3 * std::log(bond) + std::log(2 * 2 * std::numbers::pi);

  const auto plain = weigh(drawn, target);
  Samples exact = drawn, published = drawn;
  const auto reflected = reflect(exact, generator, target, {}, Mirror::reflect);
  CHECK(reflected == static_cast<std::int64_t>(plain.zero_count));
  CHECK(reflect(published, generator, target, {}, Mirror::keep_old_log_q) == reflected);
  const auto mended = weigh(exact, target), biased = weigh(published, target);
  INFO("log Z ", log_z, ": plain ", plain.log_z, " +- ", plain.log_z_error, ", reflected ",
       mended.log_z, " +- ", mended.log_z_error, ", old log q ", biased.log_z);
  CHECK(std::abs(plain.log_z - log_z) < 4 * plain.log_z_error);
  CHECK(std::abs(mended.log_z - log_z) < 4 * mended.log_z_error);
  CHECK(plain.log_z_error < 0.05);
  CHECK(mended.ess > plain.ess);
  CHECK(mended.zero_count == 0);
  CHECK(std::abs(biased.log_z - log_z) > 10 * biased.log_z_error);
}

TEST_SUITE_END();
TEST_SUITE_BEGIN("fast");

TEST_CASE("a reflected sample is the mirror image, and its tokens are its own") {
  const auto m = star();
  const Target target(m.topology, m.system, kTemperature);
  const auto generator = proposal();
  SampleOptions options;
  options.count = 50;
  const Samples drawn = generator.sample(options);
  Samples out = drawn;
  REQUIRE(reflect(out, generator, target, {}, Mirror::reflect) > 5);
  for (std::size_t i = 0; i < 50; ++i) {
    const auto x = std::span(out.positions_nm).subspan(12 * i, 12);
    CHECK(target.has_right_hand(x));
    const bool was_right = target.has_right_hand(std::span(drawn.positions_nm).subspan(12 * i, 12));
    for (std::size_t c = 12 * i; c < 12 * i + 12; ++c) {
      CHECK(out.coordinates[c] == (was_right ? 1 : -1) * drawn.coordinates[c]);
      CHECK(out.tokens[c] ==
            generator.bins().encode(static_cast<std::int64_t>(c % 12), out.coordinates[c]));
    }
    CHECK(out.log_q[i] > generator.log_density(std::span(out.tokens).subspan(12 * i, 12)).at(0));
  }
}

TEST_CASE("internal coordinates have no mirror images to reflect") {
  const auto m = chain(3, 0.012, 0.4);
  const auto generator = three_atoms(4, nn::Backend::cpu);
  Samples none;
  CHECK(error_message([&] {
          reflect(none, generator, Target(m.topology, m.system, kTemperature), {}, Mirror::reflect);
        }).find("Cartesian coordinates only") != std::string::npos);
}

TEST_SUITE_END();
