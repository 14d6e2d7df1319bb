// Reflected samples: consistent with the density of both ways there, biased with the old one.
#include "sampling/proposals/mirrored.h"

#include <doctest/doctest.h>

#include <cmath>

#include "metrics/weights/weights.h"
#include "sampling/proposals/autoregressive.h"
#include "tests/md/error_message.h"
#include "tests/sampling/mirrored_star.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

MirroredProposal mirrored(const Generator& generator, const Target& target, Mirror rule) {
  return {std::make_unique<AutoregressiveProposal>(generator), target, rule};
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
  const auto generator = star_generator();
  SampleOptions options;
  options.count = 60000;
  options.seed = 7;
  const Samples drawn = generator.sample(options);

  const double log_z = star_log_z();
  const auto plain = weigh(drawn, target);
  const Samples exact = mirrored(generator, target, Mirror::reflect).draw(options),
                published = mirrored(generator, target, Mirror::keep_old_log_q).draw(options);
  CHECK(exact.reflected == static_cast<std::int64_t>(plain.zero_count));
  CHECK(published.reflected == exact.reflected);
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

TEST_CASE("a reflected sample is the mirror image, and denser than either way there") {
  const auto m = star();
  const Target target(m.topology, m.system, kTemperature);
  const auto generator = star_generator();
  SampleOptions options;
  options.count = 50;
  const Samples drawn = generator.sample(options);
  const Samples out = mirrored(generator, target, Mirror::reflect).draw(options);
  REQUIRE(out.reflected > 5);
  for (std::size_t i = 0; i < 50; ++i) {
    const auto x = std::span(out.positions_nm).subspan(12 * i, 12);
    CHECK(target.has_right_hand(x));
    const bool was_right = target.has_right_hand(std::span(drawn.positions_nm).subspan(12 * i, 12));
    for (std::size_t c = 12 * i; c < 12 * i + 12; ++c) {
      CHECK(out.coordinates[c] == (was_right ? 1 : -1) * drawn.coordinates[c]);
    }
    const auto z = std::span(out.coordinates).subspan(12 * i, 12);
    CHECK(out.log_q[i] > AutoregressiveProposal(generator).log_density(z).at(0));
  }
}

TEST_CASE("internal coordinates have no mirror images to reflect") {
  const auto m = chain(3, 0.012, 0.4);
  const auto generator = three_atoms(4, nn::Backend::cpu);
  const Target target(m.topology, m.system, kTemperature);
  CHECK(error_message([&] {
          mirrored(generator, target, Mirror::reflect);
        }).find("Cartesian coordinates only") != std::string::npos);
}

TEST_SUITE_END();
