// Features by hand, and components that are computed from them as they are read.
#include "metrics/motions/tica_features.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "tensor/base/error.h"
#include "tensor/base/random.h"

using namespace arbg;
using namespace arbg::metrics;

namespace {

// A right angle at each of the middle atoms, sides 3, 4 and 12, the last bond turned by 90 degrees.
const std::vector<double> kRightAngles{0, 3, 0, 0, 0, 0, 4, 0, 0, 4, 0, 12};

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("distances come by pairs, then sines, then cosines") {
  const TicaFeatures features{{0, 1, 3}, {{0, 1, 2, 3}, {1, 0, 2, 3}}};
  CHECK(features.count() == 7);
  const auto found = tica_features(kRightAngles, 4, features);
  REQUIRE(found.size() == 7);
  CHECK(found[0] == doctest::Approx(3));
  CHECK(found[1] == doctest::Approx(13));                // 0 to 3
  CHECK(found[2] == doctest::Approx(std::sqrt(160.0)));  // 1 to 3
  const auto angles = dihedrals(kRightAngles, 4, features.torsions);
  CHECK(angles[0] == doctest::Approx(std::numbers::pi / 2));
  CHECK(found[3] == doctest::Approx(1));
  CHECK(found[4] == doctest::Approx(std::sin(angles[1])));
  CHECK(std::fabs(found[5]) < 1e-12);
  CHECK(found[6] == doctest::Approx(std::cos(angles[1])));
}

TEST_CASE("features that are read in parts are those of all frames, frame by frame") {
  const Random random(3, 4);
  std::vector<double> positions(40 * 4 * 3);
  for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = random.normal_pair(i)[0];
  const TicaFeatures features{{3, 0, 2}, {{0, 1, 2, 3}}};
  const auto all = tica_features(positions, 4, features);
  const FeatureSeries series = tica_feature_series(positions, 4, features);
  CHECK(series.frames == 40);
  std::vector<double> part(7 * features.count());
  series.read(12, 7, part);
  CHECK(part == std::vector<double>(all.begin() + 12 * 5, all.begin() + 19 * 5));

  const TicaSettings settings{.lag = 2, .components = 2};
  const auto arrays = series_of(all, features.count());
  const Tica read = fit_tica({&series, 1}, 5, settings), kept = fit_tica({&arrays, 1}, 5, settings);
  CHECK(read.coefficients == kept.coefficients);
  CHECK(project(read, series) == project(kept, arrays));
}

TEST_CASE("without atoms there are torsions only, without torsions distances only") {
  CHECK(tica_features(kRightAngles, 4, {{}, {{0, 1, 2, 3}}}).size() == 2);
  CHECK(tica_features(kRightAngles, 4, {{1, 2}, {}}) == std::vector<double>{4});
  CHECK(TicaFeatures{}.count() == 0);
}

TEST_CASE("atoms that are not there and parts of conformations are refused") {
  CHECK_THROWS_AS(tica_features(kRightAngles, 4, {{0, 4}, {}}), Error);
  CHECK_THROWS_AS(tica_feature_series(kRightAngles, 4, {{-1, 2}, {}}), Error);
  CHECK_THROWS_AS(tica_features(kRightAngles, 5, {{0, 1}, {}}), Error);
  CHECK_THROWS_AS(tica_features(kRightAngles, 4, {{0, 1}, {{0, 1, 2, 4}}}), Error);
}

TEST_SUITE_END();
