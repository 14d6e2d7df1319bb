// Annealed sequential Monte Carlo: moves that leave their density alone, log Z of known targets.
#include "sampling/smc/annealed_smc.h"

#include <doctest/doctest.h>

#include <cmath>

#include "md/molecule/vector3.h"
#include "metrics/weights/weights.h"
#include "sampling/proposals/autoregressive.h"
#include "sampling/smc/hamiltonian_move.h"
#include "sampling/targets/target.h"
#include "tensor/base/error.h"
#include "tests/sampling/butane.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

// Off by half a width in every bond and angle.
Generator butane_generator() {
  const auto m = butane();
  return near_generator(
      md::make_internal_map(m.topology, m.system, kTemperature), 64,
      [](const md::Coordinate& c, double value) {
        if (c.kind == 0) return boltzmann(value, kLength + 0.5 * kBondWidth, 1.2 * kBondWidth);
        return c.kind == 1 ? boltzmann(value, kAngle - 0.5 * kAngleWidth, 1.2 * kAngleWidth) : 1.0;
      });
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("a plan climbs from 0 to 1, and its trajectories are kept about as often as asked") {
  const auto m = butane();
  const Target target(m.topology, m.system, kTemperature);
  const auto generator = butane_generator();
  SmcOptions options;
  options.populations = 1;
  options.count = 200;
  AnnealingOptions annealing;
  annealing.moves = 4;
  const auto plan = plan_annealing(AutoregressiveProposal(generator), target, annealing, options);
  REQUIRE(plan.b.size() >= 2);
  CHECK(plan.b.back() == 1);
  for (std::size_t l = 1; l < plan.b.size(); ++l) CHECK(plan.b[l] > plan.b[l - 1]);
  const auto population =
      sample_annealed(AutoregressiveProposal(generator), target, plan, options)[0];
  // At b = 1 the error of the steps alone decides.
  CHECK(std::abs(population.stages.back().acceptance - annealing.conserved) < 0.1);
  CHECK(population.energies ==
        200 * (1 + annealing.moves * annealing.leapfrog_steps * std::ssize(plan.b)));
  CHECK(population.samples.log_q ==
        AutoregressiveProposal(generator).log_density(population.samples.coordinates));
  AnnealingPlan unfinished = plan;
  unfinished.b.back() = 0.9;
  CHECK_THROWS_AS(sample_annealed(AutoregressiveProposal(generator), target, unfinished, options),
                  Error);
  for (int AnnealingOptions::*number :
       {&AnnealingOptions::moves, &AnnealingOptions::leapfrog_steps}) {
    AnnealingOptions none;
    none.*number = 0;
    CHECK_THROWS_AS(plan_annealing(AutoregressiveProposal(generator), target, none, options),
                    Error);
  }
  AnnealingOptions limited;
  limited.most_rungs = std::ssize(plan.b) - 1;
  limited.moves = annealing.moves;
  CHECK_THROWS_WITH_AS(plan_annealing(AutoregressiveProposal(generator), target, limited, options),
                       doctest::Contains("smaller conditional effective share"), Error);
  limited.most_rungs = std::ssize(plan.b);
  CHECK(plan_annealing(AutoregressiveProposal(generator), target, limited, options).b == plan.b);
}

TEST_CASE("particles outside of the target's support decide neither the ladder nor the lengths") {
  struct Sector final : Potential {  // of the dihedral: 30 to 150 degrees
    std::vector<double> reduced_energy(std::span<const double> x,
                                       std::span<double> gradient) const override {
      auto u = whole.reduced_energy(x, gradient);
      for (std::size_t i = 0; i < u.size(); ++i) {
        const auto at = [&](int atom) {
          const std::size_t first = 12 * i + 3 * static_cast<std::size_t>(atom);
          return md::Vector3{x[first], x[first + 1], x[first + 2]};
        };
        const md::Vector3 middle = at(2) - at(1);
        const md::Vector3 n = cross(at(1) - at(0), middle), m = cross(middle, at(3) - at(2));
        if (dot(cross(n, m), middle) < 0.5 * norm(n) * norm(m) * norm(middle)) u[i] = INFINITY;
      }
      return u;
    }
    std::unique_ptr<Potential> restricted(std::span<const int>) const override { return {}; }
    explicit Sector(const Target& all) : whole(all) {}
    const Target& whole;
  };
  const auto m = butane();
  const Target target(m.topology, m.system, kTemperature);
  const Sector sector(target);
  const auto generator = butane_generator();
  SampleOptions draw;
  draw.count = 300;
  const auto walkers = make_walkers(generator.sample(draw), generator.map(), sector);
  std::vector<std::int64_t> inside;
  for (std::size_t i = 0; i < walkers.u.size(); ++i)
    if (std::isfinite(walkers.u[i])) inside.push_back(static_cast<std::int64_t>(i));
  REQUIRE(inside.size() > 50);
  REQUIRE(inside.size() < 150);
  Walkers living;
  for (const auto i : inside) {
    const auto row = walkers.rows(i, 1, generator.map());
    living.slope.insert(living.slope.end(), row.slope.begin(), row.slope.end());
    living.u.push_back(row.u[0]);
  }
  CHECK(move_lengths(walkers, generator.map()) == move_lengths(living, generator.map()));
  SmcOptions options;
  options.populations = 1;
  options.count = 300;
  const AutoregressiveProposal proposal(generator);
  const auto plan = plan_annealing(proposal, sector, {}, options);
  CHECK(plan.b.front() > 0.05);
  CHECK(std::ssize(plan.b) < 30);
  const auto population = sample_annealed(proposal, sector, plan, options)[0];
  CHECK(population.densities > 0);
  CHECK(population.densities < 300 * plan.moves * std::ssize(plan.b));  // some leave the sector
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

TEST_CASE("moves at b = 0 leave q alone: coordinates keep their mean and spread") {
  // The drift is that of another density: acceptance by the exact log q alone holds them at q.
  const auto m = butane();
  const Target target(m.topology, m.system, kTemperature);
  const auto generator = butane_generator();
  SampleOptions options;
  options.count = 4000;
  auto walkers = make_walkers(generator.sample(options), generator.map(), target);
  const auto lengths = move_lengths(walkers, generator.map());
  const std::size_t K = lengths.size(), count = walkers.u.size();
  const auto moments = [&](std::size_t j) {
    double mean = 0, square = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const double z = walkers.samples.coordinates[i * K + j];
      mean += z / static_cast<double>(count);
      square += z * z / static_cast<double>(count);
    }
    return std::pair(mean, square - mean * mean);
  };
  std::vector<std::pair<double, double>> before;
  for (std::size_t j = 0; j < K; ++j) before.push_back(moments(j));
  for (std::uint64_t k = 0; k < 10; ++k) {
    const auto shares =
        hamiltonian_move(walkers, AutoregressiveProposal(generator), target, 0.0,
                         {0.5, k % 2 == 0 ? 1 : 8, lengths}, Random(3, stream_id("test move", k)));
    CHECK(shares.accepted > 0.2);
  }
  for (std::size_t j = 0; j < K; ++j) {
    CAPTURE(j);
    const auto [mean, variance] = moments(j);
    const double error = std::sqrt(2 * before[j].second / static_cast<double>(count));
    CHECK(std::abs(mean - before[j].first) < 4 * error);
    CHECK(std::abs(variance / before[j].second - 1) <
          4 * 2 / std::sqrt(static_cast<double>(count)));
  }
}

TEST_CASE("moves at b = 1 carry particles to the target's mean: bonds and angles by quadrature") {
  const auto m = butane();
  const Target target(m.topology, m.system, kTemperature);
  const auto generator = butane_generator();
  SampleOptions options;
  options.count = 2000;
  auto walkers = make_walkers(generator.sample(options), generator.map(), target);
  const auto lengths = move_lengths(walkers, generator.map());
  for (std::uint64_t k = 0; k < 40; ++k) {
    hamiltonian_move(walkers, AutoregressiveProposal(generator), target, 1.0,
                     {0.9, k % 2 == 0 ? 1 : 4, lengths}, Random(4, stream_id("test move", k)));
  }
  const double r =
      simpson([](double x) { return x * x * x * boltzmann(x, kLength, kBondWidth); }, 0, 0.6) /
      bond_z(kBondWidth);
  const double theta =
      simpson([](double t) { return t * std::sin(t) * boltzmann(t, kAngle, kAngleWidth); }, 0,
              kPi) /
      angle_z(kAngleWidth);
  for (const std::size_t j : {0u, 1u, 3u, 2u, 4u}) {
    CAPTURE(j);
    const bool bond = generator.map().coordinates()[j].kind == 0;
    double mean = 0;
    for (std::size_t i = 0; i < 2000; ++i) mean += walkers.samples.coordinates[i * 6 + j] / 2000;
    const double error = (bond ? kBondWidth : kAngleWidth) / std::sqrt(2000.0);
    CHECK(std::abs(mean - (bond ? r : theta)) < 4 * error);
  }
}

TEST_CASE("moves at b = 1/2 carry particles to the moments of other draws, weighted") {
  constexpr std::int64_t kDraws = 10000;
  // Returns what leapfrog conserved.
  const auto check = [](const Generator& generator, const Potential& potential) {
    const std::size_t K = static_cast<std::size_t>(generator.map().size());
    const auto draw = [&](std::int64_t first) {
      SampleOptions options;
      options.count = kDraws;
      options.first = first;
      return make_walkers(generator.sample(options), generator.map(), potential);
    };
    auto moved = draw(0);
    const auto fresh = draw(kDraws);
    const auto lengths = move_lengths(moved, generator.map());
    double conserved = 0;
    for (std::uint64_t k = 0; k < 40; ++k) {
      conserved +=
          hamiltonian_move(moved, AutoregressiveProposal(generator), potential, 0.5,
                           {0.6, k % 2 == 0 ? 1 : 8, lengths}, Random(5, stream_id("test move", k)))
              .conserved /
          40;
    }
    std::vector<double> log_weight;
    for (std::size_t i = 0; i < fresh.u.size(); ++i)
      log_weight.push_back(0.5 * (fresh.log_target(i) - fresh.samples.log_q[i]));
    const auto weights = metrics::normalised_weights(log_weight);
    const double effective = metrics::ess_fraction(log_weight) * kDraws;
    CHECK(effective > 0.4 * kDraws);
    for (std::size_t j = 0; j < K; ++j) {
      for (const int power : {1, 2}) {
        CAPTURE(j);
        CAPTURE(power);
        double mean = 0, square = 0, weighted = 0;
        for (std::size_t i = 0; i < fresh.u.size(); ++i) {
          const double value = std::pow(moved.samples.coordinates[i * K + j], power);
          mean += value / kDraws;
          square += value * value / kDraws;
          weighted += weights[i] * std::pow(fresh.samples.coordinates[i * K + j], power);
        }
        const double variance = square - mean * mean;
        CHECK(std::abs(mean - weighted) < 4 * std::sqrt(variance * (1.0 / kDraws + 1 / effective)));
      }
    }
    return conserved;
  };
  const auto m = butane();
  CHECK(check(butane_generator(), Target(m.topology, m.system, kTemperature)) > 0.7);
  // Support within a little more than a width: many trajectories leave it, and come back if let.
  CHECK(check(near_generator(
                  md::make_cartesian_map(3, 0.1, 1), 32,
                  [](const md::Coordinate&, double value) { return boltzmann(value, 0, 0.9); }),
              SpringChain(3, 300, 100)) < 0.7);
}

TEST_CASE("annealed log Z is that of quadrature, and of the determinant of coupled springs") {
  SmcOptions options;
  options.populations = 10;
  options.count = 2000;
  const auto check = [&](const Generator& generator, const Potential& potential, double log_z) {
    const auto plan = plan_annealing(AutoregressiveProposal(generator), potential, {}, options);
    std::vector<double> estimates;
    for (const auto& population :
         sample_annealed(AutoregressiveProposal(generator), potential, plan, options))
      estimates.push_back(population.log_z());
    const auto z = metrics::summarise_weights(estimates);
    INFO(z.log_z, " +- ", z.log_z_error, ", exactly ", log_z);
    CHECK(z.log_z_error < 0.1);
    CHECK(std::abs(z.log_z - log_z) < 4 * z.log_z_error);
  };
  const auto m = butane();
  check(butane_generator(), Target(m.topology, m.system, kTemperature), butane_log_z());
  const SpringChain springs(3, 300, 100);
  check(
      near_generator(md::make_cartesian_map(3, 0.1, 5), 64,
                     [](const md::Coordinate&, double value) { return boltzmann(value, 0, 0.9); }),
      springs, springs.log_z());
}

TEST_SUITE_END();
