// Twisted sequential Monte Carlo: importance sampling where nothing is resampled, unbiased where it
// is.
#include "sampling/smc/twisted_smc.h"

#include <doctest/doctest.h>

#include <cmath>

#include "metrics/weights/weights.h"
#include "sampling/proposals/autoregressive.h"
#include "sampling/targets/target.h"
#include "tensor/base/error.h"
#include "tensor/base/threads.h"
#include "tests/sampling/butane.h"
#include "tests/tensor/thread_ranks.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

// Off by `shift` widths in every bond and angle, so that the energy has something to say.
Generator butane_generator(double shift) {
  const auto m = butane();
  return near_generator(md::make_internal_map(m.topology, m.system, kTemperature), 64,
                        [=](const md::Coordinate& c, double value) {
                          if (c.kind == 0)
                            return boltzmann(value, kLength + shift * kBondWidth, 1.2 * kBondWidth);
                          return c.kind == 1 ? boltzmann(value, kAngle - shift * kAngleWidth,
                                                         1.2 * kAngleWidth)
                                             : 1.0;
                        });
}

std::vector<double> log_z_of(const std::vector<SmcPopulation>& populations) {
  std::vector<double> out;
  for (const auto& population : populations) out.push_back(population.log_z());
  return out;
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("never resampled, a population is what the generator samples, with the same weights") {
  const auto m = butane();
  const Target target(m.topology, m.system, kTemperature);
  const auto generator = butane_generator(0.5);
  SmcOptions options;
  options.populations = 2;
  options.count = 100;
  options.ess_threshold = 0;
  options.seed = 8;
  const auto populations =
      sample_twisted(AutoregressiveProposal(generator), target, {0.7, true, {2, 3}}, options);
  REQUIRE(populations.size() == 2);
  for (std::uint64_t p = 0; p < 2; ++p) {
    SampleOptions plain;
    plain.count = 50;
    plain.seed = 8;
    plain.stream = stream_id("twisted", p);
    const auto samples = generator.sample(plain);
    CHECK(populations[p].samples.coordinates == samples.coordinates);
    CHECK(populations[p].samples.positions_nm == samples.positions_nm);
    CHECK(populations[p].samples.log_q == samples.log_q);
    const auto log_w =
        log_weights(target.reduced_energy(samples.positions_nm), samples.log_volume, samples.log_q);
    for (std::size_t i = 0; i < log_w.size(); ++i) {
      CHECK(populations[p].log_weight[i] == doctest::Approx(log_w[i]).epsilon(1e-12));
      CHECK(populations[p].ancestor[i] == static_cast<std::int32_t>(i));
    }
    CHECK(populations[p].energies == 50);
    CHECK(populations[p].partial_energies == 100);
  }
}

TEST_CASE("populations depend on seed and number alone, not on threads or their company") {
  const auto m = butane();
  const Target target(m.topology, m.system, kTemperature);
  const auto generator = butane_generator(1);
  SmcOptions options;
  options.populations = 3;
  options.count = 120;
  options.ess_threshold = 1;
  const Twist twist{1, true, {2, 3}};
  const int threads = thread_count();
  const auto all = sample_twisted(AutoregressiveProposal(generator), target, twist, options);
  set_thread_count(1);
  options.populations = 2;
  options.count = 80;
  const auto two = sample_twisted(AutoregressiveProposal(generator), target, twist, options);
  set_thread_count(threads);
  for (std::size_t p = 0; p < 2; ++p) {
    CHECK(all[p].samples.coordinates == two[p].samples.coordinates);
    CHECK(all[p].log_weight == two[p].log_weight);
    CHECK(all[p].ancestor == two[p].ancestor);
    CHECK(all[p].stages[1].resampled);
    CHECK(all[p].ancestor_share() < 1);
  }
  CHECK(all[0].samples.coordinates != all[1].samples.coordinates);
}

TEST_CASE("the first rank has the populations of all, as one rank has them") {
  const auto m = butane();
  const Target target(m.topology, m.system, kTemperature);
  const auto generator = butane_generator(0.5);
  const Twist twist{0.7, true, {2, 3}};
  SmcOptions options;
  options.populations = 5;
  options.count = 63;
  const auto expected = sample_twisted(AutoregressiveProposal(generator), target, twist, options);
  for (const int count : {2, 7}) {
    std::vector<std::vector<SmcPopulation>> found(static_cast<std::size_t>(count));
    on_ranks(count, [&](const Ranks& ranks) {
      auto own = options;
      own.ranks = &ranks;
      found[static_cast<std::size_t>(ranks.rank())] =
          sample_twisted(AutoregressiveProposal(generator), target, twist, own);
    });
    REQUIRE(found[0].size() == expected.size());
    for (std::size_t p = 0; p < expected.size(); ++p) {
      const auto &a = found[0][p], &b = expected[p];
      CHECK(a.samples.positions_nm == b.samples.positions_nm);
      CHECK(a.samples.log_q == b.samples.log_q);
      CHECK(a.reduced_energy == b.reduced_energy);
      CHECK(a.log_weight == b.log_weight);
      CHECK(a.ancestor == b.ancestor);
      REQUIRE(a.stages.size() == b.stages.size());
      CHECK(a.stages[1].ess_fraction == b.stages[1].ess_fraction);
      CHECK(a.energies == b.energies);
      CHECK(a.partial_energies == b.partial_energies);
    }
    for (std::size_t rank = 1; rank < found.size(); ++rank) CHECK(found[rank].empty());
  }
}

TEST_CASE("copies carry their cache: log q of every survivor is that of its tokens") {
  const auto m = butane();
  const auto map = md::make_internal_map(m.topology, m.system, kTemperature);
  const Target target(m.topology, m.system, kTemperature);
  const auto generator =
      lively_generator(md::CoordinateMap::from_json(map->to_json()), 16, nn::Backend::reference);
  SmcOptions options;
  options.populations = 1;
  options.count = 30;
  options.ess_threshold = 1;
  const auto population =
      sample_twisted(AutoregressiveProposal(generator), target, {1, true, {2, 3}}, options)[0];
  CHECK(population.ancestor_share() < 0.9);
  CHECK(population.samples.log_q ==
        AutoregressiveProposal(generator).log_density(population.samples.coordinates));
}

TEST_CASE("a population without any weight estimates Z by zero and breaks nothing") {
  struct Nowhere final : Potential {
    std::vector<double> reduced_energy(std::span<const double> x,
                                       std::span<double>) const override {
      return std::vector<double>(x.size() / size, INFINITY);
    }
    std::unique_ptr<Potential> restricted(std::span<const int> atoms) const override {
      auto part = std::make_unique<Nowhere>();
      part->size = 3 * atoms.size();
      return part;
    }
    std::size_t size = 12;
  };
  SmcOptions options;
  options.populations = 1;
  options.count = 5;
  for (const double lambda : {0.0, 1.0}) {
    const auto population = sample_twisted(AutoregressiveProposal(butane_generator(0)), Nowhere{},
                                           {lambda, true, {2, 3}}, options)[0];
    CHECK(population.log_z() == -INFINITY);
    CHECK(population.ancestor_share() == 0);
  }
}

TEST_CASE("stages that cannot be are refused") {
  const auto m = butane();
  const Target target(m.topology, m.system, kTemperature);
  const auto generator = butane_generator(0);
  for (const std::vector<int>& stages : {std::vector{3, 2}, {4}, {0}, {2, 2}}) {
    CHECK_THROWS_AS(
        sample_twisted(AutoregressiveProposal(generator), target, {1, true, stages}, {}), Error);
  }
  CHECK_THROWS_AS(sample_twisted(AutoregressiveProposal(generator), target, {-1, true, {2}}, {}),
                  Error);
  SmcOptions bad;
  bad.ess_threshold = 1.5;
  CHECK_THROWS_AS(sample_twisted(AutoregressiveProposal(generator), target, {1, true, {2}}, bad),
                  Error);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

TEST_CASE("log Z is that of quadrature under every scheme and any psi, also a bad one") {
  const auto m = butane();
  const Target target(m.topology, m.system, kTemperature);
  const auto generator = butane_generator(0.5);
  SmcOptions options;
  options.populations = 20;
  options.count = 6000;
  options.ess_threshold = 0.95;
  std::uint64_t seed = 0;
  for (const auto& [scheme, lambda, against] : {std::tuple{Resampling::systematic, 1.0, true},
                                                {Resampling::stratified, 0.5, true},
                                                {Resampling::residual, 0.5, false},
                                                {Resampling::multinomial, 1.0, false}}) {
    options.resampling = scheme;
    CAPTURE(std::string(name_of(options.resampling)));
    options.seed = ++seed;
    const auto populations = sample_twisted(AutoregressiveProposal(generator), target,
                                            {lambda, against, {2, 3}}, options);
    const auto z = metrics::summarise_weights(log_z_of(populations));
    INFO(z.log_z, " +- ", z.log_z_error, ", exactly ", butane_log_z());
    CHECK(z.log_z_error < 0.05);
    CHECK(std::abs(z.log_z - butane_log_z()) < 4 * z.log_z_error);
    CHECK(populations[0].stages[1].resampled);
  }
}

TEST_CASE("Cartesian coordinates: log Z of coupled springs is that of their determinant") {
  constexpr int kAtoms = 4;
  constexpr double kScale = 0.1, kStiffness = 300;
  const SpringChain springs(kAtoms, kStiffness, 0.4 * kStiffness);
  const auto generator =
      near_generator(md::make_cartesian_map(kAtoms, kScale, 5), 64,
                     [](const md::Coordinate&, double value) { return boltzmann(value, 0, 1.0); });
  SmcOptions options;
  options.count = 20000;
  const auto z = metrics::summarise_weights(log_z_of(
      sample_twisted(AutoregressiveProposal(generator), springs, {0.6, true, {1, 2, 3}}, options)));
  INFO(z.log_z, " +- ", z.log_z_error, ", exactly ", springs.log_z());
  CHECK(z.log_z_error < 0.1);
  CHECK(std::abs(z.log_z - springs.log_z()) < 4 * z.log_z_error);
}

TEST_SUITE_END();
