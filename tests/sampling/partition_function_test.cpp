// E_q[w] = Z: weights of generated samples average to partition functions known by quadrature, in
// both kinds of coordinates, and do not if the map's volume or the bins' widths are left out.
#include <doctest/doctest.h>

#include <cmath>

#include "metrics/weights/bennett.h"
#include "metrics/weights/weights.h"
#include "sampling/targets/target.h"
#include "tests/sampling/known_answers.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

struct Weighed {
  std::vector<double> log_w, without_volume, without_widths;
};

Weighed weigh(const Generator& generator, const Target& target, std::int64_t count) {
  SampleOptions options;
  options.count = count;
  options.seed = 5;
  const auto samples = generator.sample(options);
  Weighed out;
  out.log_w =
      log_weights(target.reduced_energy(samples.positions_nm), samples.log_volume, samples.log_q);
  for (std::size_t i = 0; i < out.log_w.size(); ++i) {
    out.without_volume.push_back(out.log_w[i] - samples.log_volume[i]);
    out.without_widths.push_back(out.log_w[i] - generator.bins().log_volume());
  }
  return out;
}

// Whether the mean weight is z within four standard errors of at most `precision`; far off without
// volume or widths.
void check_z(const Weighed& weighed, double z, double precision) {
  const auto summary = metrics::summarise_weights(weighed.log_w);
  INFO("log Z ", summary.log_z, " +- ", summary.log_z_error, ", exactly ", std::log(z), "; ESS ",
       100 * summary.ess_fraction, " %");
  CHECK(summary.log_z_error < precision);
  CHECK(std::abs(summary.log_z - std::log(z)) < 4 * summary.log_z_error);
  for (const auto& wrong : {weighed.without_volume, weighed.without_widths}) {
    const auto other = metrics::summarise_weights(wrong);
    CHECK(std::abs(other.log_z - std::log(z)) > 40 * other.log_z_error);
  }
}

}  // namespace

TEST_SUITE_BEGIN("statistical");

TEST_CASE("internal coordinates: weights average to Z of a chain of four with a torsion") {
  constexpr double kBondWidth = 0.012, kAngleWidth = 0.3, kBarrier = 1.5;  // the barrier in kT
  auto m = chain(4, kBondWidth, kAngleWidth);
  m.system.torsions.push_back({0, 1, 2, 3, 3, 0.5, kBarrier * kRt});
  const double z =
      std::pow(bond_z(kBondWidth), 3) * std::pow(angle_z(kAngleWidth), 2) *
      simpson([](double phi) { return std::exp(-kBarrier * (1 + std::cos(3 * phi - 0.5))); }, -kPi,
              kPi);
  const auto generator =
      near_generator(md::make_internal_map(m.topology, m.system, kTemperature), 96,
                     [](const md::Coordinate& c, double value) {
                       if (c.kind == 0) return boltzmann(value, kLength, 1.2 * kBondWidth);
                       return c.kind == 1 ? boltzmann(value, kAngle, 1.2 * kAngleWidth) : 1.0;
                     });
  check_z(weigh(generator, Target(m.topology, m.system, kTemperature), 60000), z, 0.01);
}

TEST_CASE("Cartesian coordinates: weights average to the same kind of Z, by the same rule") {
  constexpr double kBondWidth = 0.04, kAngleWidth = 0.5, kScale = 0.07;
  const auto m = chain(3, kBondWidth, kAngleWidth);
  const double z = std::pow(bond_z(kBondWidth), 2) * angle_z(kAngleWidth);
  const auto generator =
      near_generator(md::make_cartesian_map(3, kScale, 4.5), 64,
                     [](const md::Coordinate&, double value) { return boltzmann(value, 0, 1.3); });
  check_z(weigh(generator, Target(m.topology, m.system, kTemperature), 60000), z, 0.03);
}

TEST_CASE(
    "Bennett's log Z from both sides agrees with quadrature: reference frames through encode") {
  constexpr double kBondWidth = 0.012, kAngleWidth = 0.3;
  const auto m = chain(3, kBondWidth, kAngleWidth);
  const Target target(m.topology, m.system, kTemperature);
  const auto generator =
      near_generator(md::make_internal_map(m.topology, m.system, kTemperature), 96,
                     [](const md::Coordinate& c, double value) {
                       return c.kind == 0 ? boltzmann(value, kLength + 0.5 * kBondWidth, kBondWidth)
                                          : boltzmann(value, kAngle, kAngleWidth);
                     });
  // Exact draws from the target: normal proposals accepted with the volume factor r^2 r^2
  // sin(theta) over its bound.
  const Random random(8, stream_id("reference"));
  std::vector<double> reference;
  for (std::uint64_t i = 0; reference.size() < 9 * 10000; ++i) {
    const auto [g0, g1] = random.normal_pair(3 * i);
    const auto [g2, unused] = random.normal_pair(3 * i + 1);
    const std::vector<double> draw = {kLength + kBondWidth * g0, kLength + kBondWidth * g1,
                                      kAngle + kAngleWidth * g2};
    if (draw[0] <= 0 || draw[1] <= 0 || draw[2] <= 0 || draw[2] >= kPi) continue;
    const double bound = 4 * std::log(kLength + 6 * kBondWidth);
    if (std::log(random.uniform(3 * i + 2)) > generator.map().log_volume(draw) - bound) continue;
    const auto x = md::decode(generator.map(), draw);
    reference.insert(reference.end(), x.begin(), x.end());
  }
  const auto encoded = generator.encode(reference, 1);
  const auto reference_log_w = log_weights(target.reduced_energy(reference), encoded.log_volume,
                                           generator.log_density(encoded.coordinates));
  const auto estimate =
      metrics::bennett_log_z(weigh(generator, target, 10000).log_w, reference_log_w);
  const double z = std::pow(bond_z(kBondWidth), 2) * angle_z(kAngleWidth);
  CHECK(estimate.error < 0.02);
  CHECK(std::abs(estimate.log_z - std::log(z)) < 4 * estimate.error);
}

TEST_SUITE_END();
