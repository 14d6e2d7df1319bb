#include "sampling/proposals/bonded_marginals.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "tests/sampling/small_generators.h"

namespace arbg::sampling {
namespace {

constexpr std::int64_t kBins = 64;

struct Marginals {
  std::unique_ptr<md::CoordinateMap> map;
  nn::CoordinateBins bins;
  std::vector<double> counts;
};

Marginals marginals_of(const md::Molecule& m) {
  auto map = md::make_internal_map(m.topology, m.system, kTemperature);
  auto bins = bins_of(*map, kBins);
  auto counts = bonded_marginals(*map, bins, m.system, kTemperature,
                                 md::ideal_geometry(m.topology, m.system));
  return {std::move(map), std::move(bins), std::move(counts)};
}

// Ratio of bins v and w of coordinate j.
double log_ratio(const Marginals& m, std::int64_t j, std::int32_t v, std::int32_t w) {
  const auto at = [&](std::int32_t k) { return m.counts[static_cast<std::size_t>(j * kBins + k)]; };
  return std::log(at(v) / at(w));
}

TEST_SUITE_BEGIN("fast");

TEST_CASE("a bond is r^2 times a Gaussian of its thermal width, an angle that of 1.5 T") {
  const auto m = marginals_of(chain(3, 0.012, 0.1));
  for (std::int64_t j = 0; j < 3; ++j) {
    const bool bond = m.map->coordinates()[static_cast<std::size_t>(j)].kind == 0;
    const auto log_p = [&](std::int32_t v) {
      const double z = m.bins.decode(j, v, 0.5);
      const double d = bond ? (z - kLength) / 0.012 : (z - kAngle) / 0.1;
      return bond ? 2 * std::log(z) - d * d / 2 : std::log(std::sin(z)) - d * d / 3;
    };
    CHECK(log_ratio(m, j, 30, 35) == doctest::Approx(log_p(30) - log_p(35)).epsilon(1e-5));
    CHECK(log_ratio(m, j, 33, 36) == doctest::Approx(log_p(33) - log_p(36)).epsilon(1e-5));
    const auto row = m.counts.begin() + j * kBins;
    CHECK(std::accumulate(row, row + kBins, 0.0) == doctest::Approx(1e6));
  }
}

TEST_CASE("a torsion has its own Boltzmann factor and feels no charges") {
  auto molecule = chain(4, 0.012, 0.1);
  for (auto& atom : molecule.system.nonbonded) atom.charge_e = 1;
  molecule.system.torsions.push_back({0, 1, 2, 3, 1, 0.0, 2 * kRt});  // cis is highest
  const auto m = marginals_of(molecule);
  const auto torsion = m.map->size() - 1;
  for (const std::int32_t v : {0, 9, 40}) {
    const double a = m.bins.decode(torsion, v, 0.5), b = m.bins.decode(torsion, 20, 0.5);
    CHECK(log_ratio(m, torsion, v, 20) ==
          doctest::Approx(-2 * (std::cos(a) - std::cos(b)) / 1.5).epsilon(1e-6));
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace arbg::sampling
