// Every estimator of log Z against targets that are known, twenty seeds each: is it right, and is
// its stated standard error the scatter that it has?
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "metrics/weights/bennett.h"
#include "metrics/weights/weights.h"
#include "sampling/proposals/autoregressive.h"
#include "sampling/smc/annealed_smc.h"
#include "sampling/smc/twisted_smc.h"
#include "sampling/targets/target.h"
#include "tests/sampling/known_answers.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

constexpr int kSeeds = 20;
constexpr double kChiSquareLow = 5.92, kChiSquareHigh = 45.31;  // 0.1 and 99.9 % for 20
constexpr double kBondWidth = 0.012, kAngleWidth = 0.3;

using Conformations = std::vector<double>;  // [B, N, 3] nm

struct Known {
  std::string name;
  Generator generator;
  std::unique_ptr<Potential> potential;
  double log_z;
  std::vector<int> stages;                                               // of twisted SMC
  std::function<Conformations(std::int64_t count, const Random&)> draw;  // from exp(-u) itself
};

// A density on an interval, to be drawn from by the inverse of its distribution function.
class Line {
 public:
  Line(const std::function<double(double)>& density, double lo, double hi)
      : lo_(lo), cell_((hi - lo) / kCells) {
    double sum = 0;
    for (int i = 0; i < kCells; ++i) cumulative_.push_back(sum += density(lo + (i + 0.5) * cell_));
  }
  double draw(double uniform) const {
    const double wanted = uniform * cumulative_.back();
    const auto at = std::ranges::upper_bound(cumulative_, wanted);
    const double before = at == cumulative_.begin() ? 0 : *(at - 1);
    const auto cell = static_cast<double>(at - cumulative_.begin());
    return lo_ + (cell + (wanted - before) / (*at - before)) * cell_;
  }

 private:
  static constexpr int kCells = 20000;
  double lo_, cell_;
  std::vector<double> cumulative_;
};

double bond_density(double r) { return r * r * boltzmann(r, kLength, kBondWidth); }
double angle_density(double theta) {
  return std::sin(theta) * boltzmann(theta, kAngle, kAngleWidth);
}

// Conformations whose bonds, angles and dihedrals are independent, kept with probability
// exp(-rest).
Conformations draw_internal(const md::CoordinateMap& map, const Line& dihedral,
                            const std::function<double(std::span<const double>)>& rest,
                            std::int64_t count, const Random& random) {
  const Line bond(bond_density, 0.02, 0.25), angle(angle_density, 0.1, kPi);
  const Line* const lines[] = {&bond, &angle, &dihedral};
  const auto atoms = static_cast<std::size_t>(map.atom_count());
  std::vector<double> z(static_cast<std::size_t>(map.size())), x(3 * atoms);
  Conformations out;
  for (std::uint64_t word = 0; std::ssize(out) < count * std::ssize(x);) {
    for (std::size_t j = 0; j < z.size(); ++j)
      z[j] = lines[map.coordinates()[j].kind]->draw(random.uniform(word++));
    map.decode(z, x);
    if (random.uniform(word++) < std::exp(-rest(x))) out.insert(out.end(), x.begin(), x.end());
  }
  return out;
}

// Off by half a width in bonds and angles, and blind to dihedrals.
Generator internal_generator(const md::Molecule& m) {
  return near_generator(
      md::make_internal_map(m.topology, m.system, kTemperature), 64,
      [](const md::Coordinate& c, double value) {
        if (c.kind == 0) return boltzmann(value, kLength + 0.5 * kBondWidth, 1.2 * kBondWidth);
        return c.kind == 1 ? boltzmann(value, kAngle - 0.5 * kAngleWidth, 1.2 * kAngleWidth) : 1.0;
      });
}

// Four atoms whose dihedral has two wells of unequal depth, 6 kT below the barriers.
Known double_well() {
  auto m = chain(4, kBondWidth, kAngleWidth);
  m.system.torsions.push_back({0, 1, 2, 3, 2, 0, 3 * kRt});
  m.system.torsions.push_back({0, 1, 2, 3, 1, 0.9, 0.7 * kRt});
  const auto wells = [](double phi) {
    return std::exp(-3 * (1 + std::cos(2 * phi)) - 0.7 * (1 + std::cos(phi - 0.9)));
  };
  const std::shared_ptr map = md::make_internal_map(m.topology, m.system, kTemperature);
  return {"double well",
          internal_generator(m),
          std::make_unique<Target>(m.topology, m.system, kTemperature),
          3 * std::log(bond_z(kBondWidth)) + 2 * std::log(angle_z(kAngleWidth)) +
              std::log(simpson(wells, -kPi, kPi)),
          {2, 3},
          [=](std::int64_t count, const Random& random) {
            return draw_internal(
                *map, Line(wells, -kPi, kPi), [](auto) { return 0.0; }, count, random);
          }};
}

// Three atoms, the first tied to the last as well: its shapes can be enumerated on a grid.
Known triangle() {
  constexpr double kThirdLength = 0.2, kThirdWidth = 0.015;
  auto m = chain(3, kBondWidth, kAngleWidth);
  m.system.bonds.push_back({0, 2, kThirdLength, kRt / (kThirdWidth * kThirdWidth)});
  const auto third = [](double distance) {
    return 0.5 * std::pow((distance - kThirdLength) / kThirdWidth, 2);
  };
  constexpr int kGrid = 150;
  constexpr double kLow = kLength - 9 * kBondWidth, kStep = 18 * kBondWidth / kGrid,
                   kTurn = kPi / kGrid;
  double sum = 0;
  for (int i = 0; i < kGrid; ++i) {
    for (int j = 0; j < kGrid; ++j) {
      for (int k = 0; k < kGrid; ++k) {
        const double a = kLow + (i + 0.5) * kStep, b = kLow + (j + 0.5) * kStep,
                     theta = (k + 0.5) * kTurn;
        const double distance = std::sqrt(a * a + b * b - 2 * a * b * std::cos(theta));
        sum +=
            bond_density(a) * bond_density(b) * angle_density(theta) * std::exp(-third(distance));
      }
    }
  }
  const std::shared_ptr map = md::make_internal_map(m.topology, m.system, kTemperature);
  return {"triangle",
          internal_generator(m),
          std::make_unique<Target>(m.topology, m.system, kTemperature),
          std::log(sum * kStep * kStep * kTurn),
          {2},
          [=](std::int64_t count, const Random& random) {
            const auto rest = [&](std::span<const double> x) {
              return third(std::hypot(x[6] - x[0], x[7] - x[1], x[8] - x[2]));
            };
            return draw_internal(*map, Line([](double) { return 1.0; }, -kPi, kPi), rest, count,
                                 random);
          }};
}

// Three atoms in Cartesian coordinates, the two steps between them correlated in every axis.
Known springs() {
  constexpr double k = 300, c = 100;
  auto chain = std::make_unique<SpringChain>(3, k, c);
  const double log_z = chain->log_z();
  return {
      "coupled springs",
      near_generator(md::make_cartesian_map(3, 0.1, 5), 64,
                     [](const md::Coordinate&, double value) { return boltzmann(value, 0, 0.9); }),
      std::move(chain),
      log_z,
      {1, 2},
      [](std::int64_t count, const Random& random) {
        Conformations out(static_cast<std::size_t>(9 * count), 0.0);
        for (std::size_t i = 0; i < out.size(); i += 9) {
          for (std::size_t axis = i; axis < i + 3; ++axis) {
            const auto normal = random.normal_pair(axis);
            const double first = normal[0] * std::sqrt(k / (k * k - c * c));
            out[axis + 3] = first;
            out[axis + 6] = first - c / k * first + normal[1] / std::sqrt(k);
          }
        }
        return out;
      }};
}

struct Estimate {
  double log_z, error;
};

std::vector<double> model_log_weights(const Known& known, std::int64_t count, std::uint64_t seed) {
  SampleOptions options;
  options.count = count;
  options.seed = seed;
  const auto samples = known.generator.sample(options);
  return log_weights(known.potential->reduced_energy(samples.positions_nm), samples.log_volume,
                     samples.log_q);
}

Estimate importance(const Known& known, std::uint64_t seed) {
  const auto summary = metrics::summarise_weights(model_log_weights(known, 4000, seed));
  return {summary.log_z, summary.log_z_error};
}

Estimate bennett(const Known& known, std::uint64_t seed) {
  const auto x = known.draw(4000, Random(seed, stream_id("reference")));
  const auto encoded = known.generator.encode(x, seed);
  const auto reference = log_weights(known.potential->reduced_energy(x), encoded.log_volume,
                                     known.generator.log_density(encoded.coordinates));
  const auto estimate = metrics::bennett_log_z(model_log_weights(known, 4000, seed), reference);
  return {estimate.log_z, estimate.error};
}

Estimate of_populations(const std::vector<SmcPopulation>& populations) {
  std::vector<double> log_z;
  bool resampled = false;  // otherwise this would be importance sampling
  for (const auto& population : populations) {
    log_z.push_back(population.log_z());
    for (const auto& stage : population.stages) resampled = resampled || stage.resampled;
  }
  CHECK(resampled);
  const auto summary = metrics::summarise_weights(log_z);
  return {summary.log_z, summary.log_z_error};
}

SmcOptions populations(std::int64_t particles, std::uint64_t seed) {
  SmcOptions options;
  options.populations = 20;
  options.count = 20 * particles;
  options.ess_threshold = 0.9;
  options.seed = seed;
  return options;
}

Estimate twisted(const Known& known, std::uint64_t seed) {
  return of_populations(sample_twisted(AutoregressiveProposal(known.generator), *known.potential,
                                       {0.7, true, known.stages}, populations(200, seed)));
}

Estimate annealed(const Known& known, std::uint64_t seed) {
  const auto options = populations(100, seed);
  const auto plan =
      plan_annealing(AutoregressiveProposal(known.generator), *known.potential, {}, options);
  return of_populations(
      sample_annealed(AutoregressiveProposal(known.generator), *known.potential, plan, options));
}

void check_estimator(const Known& known, const std::string& name,
                     Estimate (*estimate)(const Known&, std::uint64_t)) {
  double mean = 0, variance = 0, chi_square = 0;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const auto [log_z, error] = estimate(known, static_cast<std::uint64_t>(seed));
    mean += (log_z - known.log_z) / kSeeds;
    variance += error * error / (kSeeds * kSeeds);
    chi_square += std::pow((log_z - known.log_z) / error, 2);
  }
  const double error = std::sqrt(variance);
  MESSAGE(known.name, ", ", name, ": off by ", mean, " +- ", error, ", chi square of 20 seeds ",
          chi_square);
  CHECK(error < 0.03);
  CHECK(std::abs(mean) < 3 * error);
  CHECK(chi_square > kChiSquareLow);
  CHECK(chi_square < kChiSquareHigh);
}

}  // namespace

TEST_SUITE_BEGIN("statistical");

TEST_CASE("log Z of known targets, over 20 seeds: the mean is right, and so is the stated error") {
  for (const auto& make : {double_well, triangle, springs}) {
    const Known known = make();
    check_estimator(known, "importance sampling", importance);
    check_estimator(known, "Bennett's ratio", bennett);
    check_estimator(known, "twisted SMC", twisted);
    check_estimator(known, "annealed SMC", annealed);
  }
}

TEST_SUITE_END();
