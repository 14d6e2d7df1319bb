// Both coordinate maps give the same partition function, by importance sampling against quadrature.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "md/coordinates/coordinate_map.h"
#include "md/molecule/units.h"
#include "tests/md/map_testing.h"

using namespace arbg;
using namespace arbg::md;

namespace {

constexpr double kPi = std::numbers::pi;
const Random kRandom(11, stream_id("partition function test"));

// A bent molecule of three atoms, loose enough that its volume factor varies: u = E/RT.
constexpr double kTemperature = 300;
constexpr double kRt = thermal_energy(kTemperature);
constexpr double kLength = 0.12, kAngle = 1.911, kBondWidth = 0.012, kAngleWidth = 0.4;

Molecule bent_molecule() {
  return molecule({"C1", "C2", "C3"}, {{0, 1}, {1, 2}}, kRt / (kBondWidth * kBondWidth),
                  kRt / (kAngleWidth * kAngleWidth));
}

double square(double value) { return value * value; }

double reduced_energy(std::span<const double> x) {
  const double a = distance(x, 0, 1), b = distance(x, 1, 2), c = distance(x, 0, 2);
  const double theta = std::acos((a * a + b * b - c * c) / (2 * a * b));
  return 0.5 * (square((a - kLength) / kBondWidth) + square((b - kLength) / kBondWidth) +
                square((theta - kAngle) / kAngleWidth));
}

double simpson(const std::function<double(double)>& f, double lo, double hi) {
  constexpr int kIntervals = 2000;
  const double h = (hi - lo) / kIntervals;
  double sum = f(lo) + f(hi);
  for (int i = 1; i < kIntervals; ++i) sum += f(lo + i * h) * (i % 2 == 1 ? 4 : 2);
  return sum * h / 3;
}

double exact_z() {
  const double bond =
      simpson([](double r) { return r * r * std::exp(-0.5 * square((r - kLength) / kBondWidth)); },
              0.001, 0.3);
  const double angle = simpson(
      [](double t) { return std::sin(t) * std::exp(-0.5 * square((t - kAngle) / kAngleWidth)); }, 0,
      kPi);
  return bond * bond * angle;
}

struct Estimate {
  double mean = 0, error = 0;
};

Estimate estimate(int draws, const std::function<double(std::uint64_t)>& weight) {
  double sum = 0, squares = 0;
  for (int i = 0; i < draws; ++i) {
    const double w = weight(static_cast<std::uint64_t>(i));
    sum += w;
    squares += w * w;
  }
  const double mean = sum / draws;
  return {mean, std::sqrt((squares / draws - mean * mean) / draws)};
}

double log_normal(double value, double mean, double width) {
  return -0.5 * square((value - mean) / width) - std::log(width * std::sqrt(2 * kPi));
}

// Bonds as lengths in normal shells and uniform directions, the mean uniform in a cube that holds
// the shift's density but for 2e-5: nothing here knows internal coordinates.
Estimate cartesian_estimate(bool with_centre_of_mass) {
  const double scale = 0.2, half = 4.5 / std::sqrt(3.0), width = 1.2 * kBondWidth / scale;
  const auto map = make_cartesian_map(3, scale, 3.0);
  return estimate(200000, [&](std::uint64_t i) {
    std::vector<double> y(9, 0.0);
    double log_q = -3 * std::log(2 * half);
    for (int end = 0; end < 2; ++end) {
      const std::uint64_t key = 20 * i + 10 * static_cast<std::uint64_t>(end);
      const auto [g0, g1] = kRandom.normal_pair(key);
      const auto [g2, g3] = kRandom.normal_pair(key + 1);
      const double r = kLength / scale + width * g3, norm = std::hypot(g0, g1, g2);
      log_q += log_normal(r, kLength / scale, width) - std::log(4 * kPi * r * r);
      double* to = y.data() + 6 * end;
      to[0] = r * g0 / norm, to[1] = r * g1 / norm, to[2] = r * g2 / norm;
    }
    double log_shift = -1.5 * std::log(2 * kPi / 3);
    for (std::size_t k = 0; k < 3; ++k) {
      const double mean = half * (2 * kRandom.uniform(20 * i + 5 + k) - 1);
      const double move = mean - (y[k] + y[k + 6]) / 3;
      for (std::size_t atom = 0; atom < 3; ++atom) y[3 * atom + k] += move;
      log_shift -= 1.5 * mean * mean;
    }
    const double volume_factor = map->log_volume(y) - (with_centre_of_mass ? 0 : log_shift);
    return std::exp(-reduced_energy(decode(*map, y)) + volume_factor - log_q);
  });
}

}  // namespace

TEST_SUITE_BEGIN("statistical");

TEST_CASE("internal weights average to the partition function by quadrature") {
  const auto m = bent_molecule();
  const auto map = make_internal_map(m.topology, m.system, kTemperature);
  const auto z = estimate(200000, [&](std::uint64_t i) {
    const auto [g0, g1] = kRandom.normal_pair(2 * i);
    const double theta = kPi * kRandom.uniform(2 * i + 1);
    const double width = 1.2 * kBondWidth;
    const std::vector<double> draw = {kLength + width * g0, kLength + width * g1, theta};
    const double log_q =
        log_normal(draw[0], kLength, width) + log_normal(draw[1], kLength, width) - std::log(kPi);
    return std::exp(-reduced_energy(decode(*map, draw)) + map->log_volume(draw) - log_q);
  });
  CHECK(z.error < 0.01 * exact_z());
  CHECK(std::abs(z.mean - exact_z()) < 4 * z.error);
}

TEST_CASE(
    "Cartesian weights average to the same partition function, and only with the centre of mass") {
  const auto z = cartesian_estimate(true);
  CHECK(z.error < 0.02 * exact_z());
  CHECK(std::abs(z.mean - exact_z()) < 4 * z.error);
  const auto without = cartesian_estimate(false);
  CHECK(std::abs(without.mean - exact_z()) > 20 * without.error);
}

TEST_CASE("Cartesian rotations are uniform and shifts have variance 1/N") {
  constexpr int kDraws = 20000;
  const std::vector<double> x = {-0.1, 0, 0, 0.1, 0, 0};
  const auto map = make_cartesian_map(2, 0.1, 3.0);
  double first[3] = {}, second[3][3] = {}, shift[3] = {}, shift_square[3] = {};
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    const auto y = encode(*map, x, i);
    for (std::size_t k = 0; k < 3; ++k) {
      const double axis = (y[3 + k] - y[k]) / 2, mean = (y[3 + k] + y[k]) / 2;
      first[k] += axis / kDraws;
      for (std::size_t l = 0; l < 3; ++l) second[k][l] += axis * (y[3 + l] - y[l]) / 2 / kDraws;
      shift[k] += mean / kDraws;
      shift_square[k] += mean * mean / kDraws;
    }
  }
  // Of a uniform direction u: E u_k^2 = 1/3, var u_k^2 = 4/45, var u_k u_l = 1/15.
  const double root = std::sqrt(double{kDraws});
  for (int k = 0; k < 3; ++k) {
    CHECK(std::abs(first[k]) < 4 * std::sqrt(1.0 / 3) / root);
    for (int l = 0; l < 3; ++l) {
      CHECK(std::abs(second[k][l] - (k == l ? 1.0 / 3 : 0)) < 4 * std::sqrt(4.0 / 45) / root);
    }
    CHECK(std::abs(shift[k]) < 4 * std::sqrt(0.5) / root);
    CHECK(std::abs(shift_square[k] - 0.5) < 4 * 0.5 * std::sqrt(2.0) / root);
  }
}

TEST_SUITE_END();
