// Basins by the table of their boundaries, distances of maps by hand.
#include "metrics/conformations/ramachandran.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <vector>

#include "tensor/base/error.h"

using namespace arbg;
using namespace arbg::metrics;

namespace {

constexpr double kDegree = std::numbers::pi / 180;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Basin basin(double phi, double psi) { return basin_of(phi * kDegree, psi * kDegree); }

std::vector<double> radians(std::vector<double> degrees) {
  for (double& angle : degrees) angle *= kDegree;
  return degrees;
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("conformations that have names lie in the basins of these names") {
  CHECK(basin(-57, -47) == Basin::alpha_right);
  CHECK(basin(-60, -26) == Basin::alpha_right);  // 3-10
  CHECK(basin(-139, 135) == Basin::beta);        // antiparallel
  CHECK(basin(-75, 145) == Basin::beta);         // polyproline II
  CHECK(basin(-179.9, 180) == Basin::beta);      // extended
  CHECK(basin(57, 47) == Basin::alpha_left);
  CHECK(basin(75, -60) == Basin::alpha_left);  // C7ax, just
  CHECK(basin(60, 180) == Basin::other);
}

TEST_CASE("boundaries belong to the upper side, and angles may have any turn") {
  CHECK(basin(-80, 49.999) == Basin::alpha_right);
  CHECK(basin(-80, 50.001) == Basin::beta);
  CHECK(basin(-80, -119.999) == Basin::alpha_right);
  CHECK(basin(-80, -120.001) == Basin::beta);
  CHECK(basin(-0.001, 0) == Basin::alpha_right);
  CHECK(basin(0, 0) == Basin::other);
  CHECK(basin(19.999, 0) == Basin::other);
  CHECK(basin(20.001, 0) == Basin::alpha_left);
  CHECK(basin(120.001, 0) == Basin::other);
  CHECK(basin(60, 89.999) == Basin::alpha_left);
  CHECK(basin(60, 90.001) == Basin::other);
  CHECK(basin(60, -60.001) == Basin::other);
  CHECK(basin_of(std::numbers::pi, 2) == basin_of(-std::numbers::pi, 2));
  CHECK(basin(-57 + 720, -47 - 360) == Basin::alpha_right);
  CHECK(name_of(Basin::alpha_left) == "alpha-L");
}

TEST_CASE("the free energy of twice the population is lower by kT log 2") {
  CHECK(free_energy_difference(0.5, 0.25) == doctest::Approx(-std::log(2)));
  CHECK(free_energy_difference(0.1, 0.9, 2.5) == doctest::Approx(2.5 * std::log(9)));
  CHECK(free_energy_difference(0, 0.3) == kInfinity);
  CHECK(free_energy_difference(0.3, 0) == -kInfinity);
  CHECK_THROWS_AS(free_energy_difference(0, 0), Error);
  CHECK_THROWS_AS(free_energy_difference(-0.1, 0.5), Error);
}

TEST_CASE("total variation is the mass that would have to move") {
  // Two bins a side: quadrants.
  const auto phi = radians({-90, -90, 90, 90}), psi = radians({-90, 90, -90, 90});
  const auto p = ramachandran(phi, psi, std::vector<double>{4, 2, 2, 2}, 2);
  const auto q = ramachandran(phi, psi, std::vector<double>{1, 2, 3, 4}, 2);
  CHECK(total_variation(p, q) == doctest::Approx(0.3));  // 0.1 and 0.2 more, 0.3 less
  CHECK(total_variation(p, p) == 0);
  CHECK(total_variation(ramachandran(radians({10}), radians({10}), {}),
                        ramachandran(radians({10}), radians({20}), {})) == 1);
  CHECK_THROWS_AS(total_variation(p, ramachandran(phi, psi, {}, 3)), Error);
}

TEST_CASE("a map holds all mass, whatever the turn of its angles") {
  const auto map =
      ramachandran({{-std::numbers::pi, std::numbers::pi, 9, -700.5}}, {{3.2, -3.2, 0, 1e3}}, {});
  CHECK(map.mass.size() == 3600);
  CHECK(map.outside == 0);
  CHECK(std::accumulate(map.mass.begin(), map.mass.end(), 0.0) == doctest::Approx(1));
  CHECK(total_variation(ramachandran({{1.0}}, {{2.0}}, {}),
                        ramachandran({{1.0 + 2 * std::numbers::pi}}, {{2.0}}, {})) == 0);
}

TEST_CASE("angles that are none, and other numbers of them, are refused") {
  const std::vector<double> one{1}, two{1, 2}, bad{1, std::nan("")};
  CHECK_THROWS_AS(ramachandran(one, two, {}), Error);
  CHECK_THROWS_WITH_AS(ramachandran(two, bad, {}), "expected a finite psi, found nan at index 1",
                       Error);
  CHECK_THROWS_AS(basin_of(1, std::nan("")), Error);
}

TEST_SUITE_END();
