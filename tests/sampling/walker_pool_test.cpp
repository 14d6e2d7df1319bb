// Walkers at the target: moves that leave it alone, populations of basins, batches.
#include "sampling/training/walker_pool.h"

#include <doctest/doctest.h>

#include <cmath>

#include "sampling/proposals/autoregressive.h"
#include "sampling/targets/target.h"
#include "tensor/base/threads.h"
#include "tests/sampling/known_answers.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

constexpr double kBondWidth = 0.012, kAngleWidth = 0.3;
constexpr double kTilt = 0.5, kBarrier = 6;  // in kT; two basins, at 0 and pi, 2 kTilt apart
constexpr std::size_t kK = 6;                // coordinates; the last one is the torsion

double torsion_energy(double phi) {
  return kTilt * (1 - std::cos(phi)) + kBarrier * (1 - std::cos(2 * phi));
}

md::Molecule two_basins() {
  auto m = chain(4, kBondWidth, kAngleWidth);
  m.system.torsions.push_back({0, 1, 2, 3, 1, kPi, kTilt * kRt});
  m.system.torsions.push_back({0, 1, 2, 3, 2, kPi, kBarrier * kRt});
  return m;
}

// A little off in every bond and angle, and in favour of the wrong basin.
struct Setting {
  md::Molecule molecule = two_basins();
  Target target{molecule.topology, molecule.system, kTemperature};
  Generator generator = near_generator(
      md::make_internal_map(molecule.topology, molecule.system, kTemperature), 64,
      [](const md::Coordinate& c, double value) {
        if (c.kind == 0) return boltzmann(value, kLength + 0.25 * kBondWidth, 1.2 * kBondWidth);
        return c.kind == 1 ? boltzmann(value, kAngle - 0.25 * kAngleWidth, 1.2 * kAngleWidth)
                           : 1 - 0.5 * std::cos(value);
      });

  WalkerPool pool(std::uint64_t seed = 5) const {
    return {generator.map(), generator.head(), target, seed};
  }
  Walkers draw(std::int64_t count, std::uint64_t stream) const {
    SampleOptions options;
    options.count = count;
    options.stream = stream;
    return make_walkers(generator.sample(options), generator.map(), target);
  }
  // The same, all well inside the basin at 0.
  Walkers draw_in_first_basin(std::int64_t count) const {
    auto walkers = draw(count, 1);
    std::vector<std::int64_t> there, from;
    for (std::int64_t i = 0; i < count; ++i)
      if (std::cos(torsion(walkers, static_cast<std::size_t>(i))) > 0.5) there.push_back(i);
    for (std::int64_t i = 0; i < count; ++i)
      from.push_back(there[static_cast<std::size_t>(i) % there.size()]);
    walkers.select(from, generator.map());
    return walkers;
  }
  static double torsion(const Walkers& walkers, std::size_t i) {
    return walkers.samples.coordinates[i * kK + kK - 1];
  }
  static double share_in_first_basin(const Walkers& walkers) {
    double share = 0;
    for (std::size_t i = 0; i < walkers.u.size(); ++i) share += std::cos(torsion(walkers, i)) > 0;
    return share / static_cast<double>(walkers.u.size());
  }
};

double exact_share_in_first_basin() {
  const auto weight = [](double phi) { return std::exp(-torsion_energy(phi)); };
  const double first = simpson(weight, -kPi / 2, kPi / 2);
  return first / (first + simpson(weight, kPi / 2, 3 * kPi / 2));
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("walkers of infinite energy are replaced by others, and never trained on") {
  const Setting setting;
  auto samples = setting.draw(100, 1);
  for (std::size_t i = 0; i < 99; ++i) samples.u[i] = INFINITY;
  auto pool = setting.pool();
  pool.start(samples);
  for (std::size_t i = 0; i < 100; ++i) {
    CHECK(pool.walkers().u[i] == samples.u[99]);
    CHECK(pool.walkers().samples.coordinates[i * kK] == samples.samples.coordinates[99 * kK]);
  }
  samples.u[99] = INFINITY;
  CHECK_THROWS_WITH(pool.start(samples), doctest::Contains("none of 100 samples"));
}

TEST_CASE("a batch is a function of the step; rows keep their log target density") {
  const Setting setting;
  auto pool = setting.pool(), again = setting.pool();
  std::vector<double> a(32 * kK), b(32 * kK), other(32 * kK);
  std::vector<double> target_a(32), target_b(32);
  CHECK_THROWS_WITH(pool.fill(0, a, target_a), doctest::Contains("found none"));
  pool.start(setting.draw(50, 1));
  again.start(setting.draw(50, 1));
  pool.fill(4, other, target_a);
  pool.fill(5, a, target_a);
  again.fill(5, b, target_b);
  CHECK(a == b);
  CHECK(target_a == target_b);
  CHECK(a != other);
  const Walkers& walkers = pool.walkers();
  const auto& z = walkers.samples.coordinates;
  for (std::size_t row = 0; row < 32; ++row) {
    bool found = false;
    for (std::size_t i = 0; i < 50 && !found; ++i) {
      found = std::equal(a.begin() + static_cast<std::ptrdiff_t>(row * kK),
                         a.begin() + static_cast<std::ptrdiff_t>((row + 1) * kK),
                         z.begin() + static_cast<std::ptrdiff_t>(i * kK)) &&
              target_a[row] == walkers.log_target(i);
    }
    CHECK(found);
  }
}

TEST_CASE("a restored pool goes on to the same bits, for any number of threads") {
  const Setting setting;
  const auto fresh = setting.draw(80, 2);
  auto pool = setting.pool();
  pool.start(setting.draw(200, 1));
  pool.relax(5, 0);
  auto restored = setting.pool();
  restored.restore(pool.walkers().samples.coordinates, pool.eps());
  CHECK(restored.walkers().u == pool.walkers().u);
  CHECK(restored.walkers().slope == pool.walkers().slope);
  const int threads = thread_count();
  for (WalkerPool* each : {&pool, &restored}) {
    set_thread_count(each == &pool ? 1 : 3);
    each->exchange(fresh, AutoregressiveProposal(setting.generator), 7);
    each->relax(5, 1);
  }
  set_thread_count(threads);
  CHECK(restored.walkers().samples.coordinates == pool.walkers().samples.coordinates);
  CHECK(restored.eps() == pool.eps());
  CHECK_THROWS_WITH(restored.restore(std::vector<double>(7), 1), doctest::Contains("found 7"));
  CHECK_THROWS_WITH(restored.restore(std::vector<double>(6, -50), 1),
                    doctest::Contains("1 of 1 walkers are outside"));
  CHECK_THROWS_WITH(
      pool.exchange(setting.draw(201, 3), AutoregressiveProposal(setting.generator), 0),
      doctest::Contains("at most 200 proposals"));
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

TEST_CASE("local moves are accepted as often as asked and keep to their basin") {
  const Setting setting;
  auto pool = setting.pool();
  pool.start(setting.draw_in_first_basin(1000));
  double accepted = 0;
  for (std::uint64_t sweep = 0; sweep < 20; ++sweep) accepted = pool.relax(4, sweep);
  CHECK(std::abs(accepted - 0.57) < 0.1);
  CHECK(Setting::share_in_first_basin(pool.walkers()) > 0.98);
  double mean = 0,
         exact =
             simpson([](double t) { return t * std::sin(t) * boltzmann(t, kAngle, kAngleWidth); },
                     0, kPi) /
             angle_z(kAngleWidth);
  for (std::size_t i = 0; i < 1000; ++i) mean += pool.walkers().samples.coordinates[i * kK + 2];
  CHECK(std::abs(mean / 1000 - exact) < 4 * kAngleWidth / std::sqrt(1000.0));
}

TEST_CASE("a model that prefers the wrong basin still gives both their populations") {
  const Setting setting;
  auto pool = setting.pool();
  constexpr std::int64_t kWalkers = 2000, kProposals = 1000;
  pool.start(setting.draw_in_first_basin(kWalkers));
  for (std::int64_t round = 0; round < 100; ++round) {
    const auto number = static_cast<std::uint64_t>(round);
    const auto fresh = setting.draw(kProposals, 100 + number);
    CHECK(pool.exchange(fresh, AutoregressiveProposal(setting.generator), round) > 0.02);
    pool.relax(1, number);
  }
  const double exact = exact_share_in_first_basin();
  CHECK(exact > 0.7);
  CHECK(exact < 0.8);
  CHECK(std::abs(Setting::share_in_first_basin(pool.walkers()) - exact) <
        4 * std::sqrt(exact * (1 - exact) / static_cast<double>(kWalkers)));
}

TEST_SUITE_END();
