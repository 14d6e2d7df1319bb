// Dihedral angles: known geometry and sign, invariance, and what is refused.
#include "metrics/conformations/torsions.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <numbers>
#include <string>

#include "metrics/transport/wasserstein.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"
#include "tensor/base/npy.h"
#include "tensor/base/random.h"

using namespace arbg;
using namespace arbg::metrics;

namespace {

constexpr double kPi = std::numbers::pi;

// A far bond turned by phi about the x axis, clockwise seen along +x from the near end. y is up, so
// clockwise goes to +z.
std::vector<double> chain(double phi) {
  return {-0.3, 0.7, 0.0, 0, 0, 0, 1.3, 0, 0, 1.9, 0.8 * std::cos(phi), 0.8 * std::sin(phi)};
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("an angle that was built in comes out, sign included, to the last digits") {
  const Quadruple forward{0, 1, 2, 3}, backward{3, 2, 1, 0};
  for (const double phi : {-3.1, -kPi / 2, -1e-9, 0.0, 1e-9, 0.4, 2.0, kPi - 1e-9}) {
    CAPTURE(phi);
    const auto angles = dihedrals(chain(phi), 4, std::vector<Quadruple>{forward, backward});
    REQUIRE(angles.size() == 2);
    CHECK(std::abs(angles[0] - phi) < 1e-14);
    CHECK(std::abs(angles[1] - phi) < 1e-14);  // a dihedral is the same from either end
  }
}

TEST_CASE("conformations are independent, in order, and mirror images have the opposite sign") {
  const Random random(5, stream_id("torsions test"));
  std::vector<double> positions(2 * 5 * 3), mirror;
  for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = random.normal_pair(i)[0];
  for (std::size_t i = 0; i < positions.size(); ++i)
    mirror.push_back(i % 3 == 2 ? -positions[i] : positions[i]);
  const std::vector<Quadruple> quadruples{{0, 1, 2, 3}, {4, 2, 0, 1}, {1, 3, 4, 2}};
  const auto both = dihedrals(positions, 5, quadruples);
  REQUIRE(both.size() == 6);
  const auto second = dihedrals(std::span(positions).subspan(15), 5, quadruples);
  const auto opposite = dihedrals(mirror, 5, quadruples);
  for (std::size_t d = 0; d < 3; ++d) CHECK(both[3 + d] == second[d]);
  for (std::size_t k = 0; k < 6; ++k)
    CHECK(opposite[k] == doctest::Approx(-both[k]).epsilon(1e-12));
}

TEST_CASE("what has no dihedral is refused, naming conformation and atoms") {
  const std::vector<Quadruple> one{{0, 1, 2, 3}};
  CHECK_THROWS_AS(dihedrals(std::vector<double>(11), 4, one), Error);
  CHECK_THROWS_AS(dihedrals(chain(1), 4, std::vector<Quadruple>{{0, 1, 2, 4}}), Error);
  CHECK_THROWS_AS(dihedrals(chain(1), 4, std::vector<Quadruple>{{-1, 1, 2, 3}}), Error);

  auto positions = chain(1);
  const auto straight = std::vector<double>{-1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0};
  positions.insert(positions.end(), straight.begin(), straight.end());
  CHECK_THROWS_WITH_AS(dihedrals(positions, 4, one),
                       doctest::Contains("conformation 1: the dihedral of atoms 0 1 2 3"), Error);
  positions = chain(1);
  positions[7] = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(dihedrals(positions, 4, one), Error);
  CHECK(dihedrals({}, 4, one).empty());
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("golden");

TEST_CASE("phi, psi, omega and chi1 to chi5 equal those of MDTraj") {
  const std::filesystem::path golden(ARBG_GOLDEN_DIR);
  const Json molecules =
      Json::parse(read_file(golden / "metrics" / "evaluation.json"), "evaluation.json")
          .at("torsions");
  for (const auto& member : molecules.members()) {
    const std::string& molecule = member.first;
    const auto positions = read_npy(golden / "energies" / molecule / "positions.npy");
    const auto atom_count = static_cast<std::size_t>(positions.shape[1]);
    std::vector<double> frames;  // three, in the float32 that MDTraj computes with
    for (std::size_t i = 0; i < 9 * atom_count; ++i)
      frames.push_back(static_cast<float>(positions.data[i]));
    for (const auto& torsion : member.second.members()) {
      const std::string& name = torsion.first;
      CAPTURE(molecule);
      CAPTURE(name);
      std::vector<Quadruple> quadruples;
      for (const Json& atoms : torsion.second.at("atoms").items()) {
        auto& quadruple = quadruples.emplace_back();
        for (std::size_t k = 0; k < 4; ++k)
          quadruple[k] = static_cast<int>(atoms.items()[k].integer());
      }
      const auto angles = dihedrals(frames, atom_count, quadruples);
      const auto theirs = numbers_of(torsion.second.at("angles"));
      REQUIRE(angles.size() == theirs.size());
      for (std::size_t k = 0; k < angles.size(); ++k) {
        CHECK(std::fabs(wrapped_difference(angles[k], theirs[k])) < 1e-6);
      }
    }
  }
}

TEST_SUITE_END();
