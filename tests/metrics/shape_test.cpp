// Sizes, superpositions and hydrogen bonds by hand, and MDTraj's.
#include "metrics/conformations/shape.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numbers>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"
#include "tensor/base/npy.h"
#include "tensor/base/random.h"

using namespace arbg;
using namespace arbg::metrics;

namespace {

std::vector<double> random_positions(std::size_t atoms, std::uint64_t stream) {
  const Random random(31, stream);
  std::vector<double> positions(3 * atoms);
  for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = random.normal_pair(i)[0];
  return positions;
}

std::vector<int> all_atoms(std::size_t count) {
  std::vector<int> atoms(count);
  std::iota(atoms.begin(), atoms.end(), 0);
  return atoms;
}

// Turned about z by `angle`, then x, y, z become y, z, x, then all is moved.
std::vector<double> moved(const std::vector<double>& positions, double angle) {
  std::vector<double> result;
  for (std::size_t i = 0; i < positions.size(); i += 3) {
    const double *p = &positions[i], c = std::cos(angle), s = std::sin(angle);
    result.insert(result.end(), {s * p[0] + c * p[1] - 7, p[2] + 2, c * p[0] - s * p[1] + 0.5});
  }
  return result;
}

std::vector<double> centred(std::vector<double> positions) {
  std::array<double, 3> mean{};
  const auto atoms = static_cast<double>(positions.size() / 3);
  for (std::size_t i = 0; i < positions.size(); ++i) mean[i % 3] += positions[i] / atoms;
  for (std::size_t i = 0; i < positions.size(); ++i) positions[i] -= mean[i % 3];
  return positions;
}

// v + 2 u x (u x v + w v) for the quaternion (w, u), made a unit one.
std::vector<double> turned(const std::vector<double>& positions, std::array<double, 4> q) {
  const double norm = std::sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
  for (double& part : q) part /= norm;
  const auto cross_u = [&](const std::array<double, 3>& v) {
    return std::array<double, 3>{q[2] * v[2] - q[3] * v[1], q[3] * v[0] - q[1] * v[2],
                                 q[1] * v[1] - q[2] * v[0]};
  };
  std::vector<double> result;
  for (std::size_t i = 0; i < positions.size(); i += 3) {
    const std::array<double, 3> v{positions[i], positions[i + 1], positions[i + 2]};
    auto inner = cross_u(v);
    for (std::size_t k = 0; k < 3; ++k) inner[k] += q[0] * v[k];
    const auto outer = cross_u(inner);
    for (std::size_t k = 0; k < 3; ++k) result.push_back(v[k] + 2 * outer[k]);
  }
  return result;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {  // as they lie
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(total / static_cast<double>(a.size() / 3));
}

// Hydrogen at the origin, donor at -x, acceptor at `distance` with that angle at the hydrogen.
std::vector<double> hydrogen_bond(double distance, double degrees) {
  const double angle = degrees * std::numbers::pi / 180;
  return {-0.1, 0, 0, 0, 0, 0, -distance * std::cos(angle), distance * std::sin(angle), 0};
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("the radius of gyration of two atoms is the root of their reduced mass times distance") {
  const std::vector<double> pair{1, 2, 3, 4, 6, 3};  // 5 apart
  CHECK(radii_of_gyration(pair, 2, {})[0] == doctest::Approx(2.5));
  CHECK(radii_of_gyration(pair, 2, std::vector<double>{1, 4})[0] == doctest::Approx(2));
  CHECK(radii_of_gyration(pair, 2, std::vector<double>{0, 3})[0] < 1e-12);
  CHECK(radii_of_gyration(pair, 1, {}) == std::vector<double>{0, 0});
  CHECK(end_to_end_distances(pair, 2, 0, 1)[0] == doctest::Approx(5));
}

TEST_CASE("what was turned and moved superposes, what was reflected does not") {
  const auto reference = random_positions(9, 1);
  for (const double angle : {0.0, 0.3, 2.0, std::numbers::pi}) {
    CAPTURE(angle);
    CHECK(rmsd(moved(reference, angle), 9, reference, all_atoms(9))[0] < 1e-7);
  }
  auto mirrored = reference;
  for (std::size_t i = 0; i < mirrored.size(); i += 3) mirrored[i] = -mirrored[i];
  CHECK(rmsd(mirrored, 9, reference, all_atoms(9))[0] > 0.1);
}

TEST_CASE("a stretched bond is off by half of its stretch, in a line too") {
  const std::vector<double> near{0, 0, 0, 1, 0, 0}, far{5, 5, 5, 5, 5, 6.5};
  CHECK(rmsd(far, 2, near, all_atoms(2))[0] == doctest::Approx(0.25));
  const std::vector<double> line{0, 0, 0, 1, 0, 0, 2, 0, 0}, longer{0, 0, 0, 0, 2, 0, 0, 4, 0};
  CHECK(rmsd(longer, 3, line, all_atoms(3))[0] == doctest::Approx(std::sqrt(2.0 / 3)));
  CHECK(rmsd(line, 3, line, all_atoms(3))[0] < 1e-7);
}

TEST_CASE("no rotation does better than the superposition, and some do as well") {
  const auto reference = centred(random_positions(6, 3)), x = centred(random_positions(6, 2));
  const double best = rmsd(x, 6, reference, all_atoms(6))[0];
  const Random random(32, 33);
  double least = std::numeric_limits<double>::infinity();
  for (std::uint64_t k = 0; k < 20000; ++k) {
    const auto a = random.normal_pair(2 * k), b = random.normal_pair(2 * k + 1);
    least = std::min(least, distance(turned(x, {a[0], a[1], b[0], b[1]}), reference));
  }
  CHECK(best <= least);
  CHECK(best > least - 0.02);
}

TEST_CASE("only chosen atoms are superposed, frame by frame") {
  const auto reference = random_positions(5, 4);
  auto frames = moved(reference, 1.0);
  for (std::size_t k = 0; k < 3; ++k) frames[3 * 2 + k] += 40;  // atom 2
  const auto still = moved(reference, 2.0);
  frames.insert(frames.end(), still.begin(), still.end());
  const auto without = rmsd(frames, 5, reference, std::vector<int>{0, 1, 3, 4});
  const auto with = rmsd(frames, 5, reference, all_atoms(5));
  CHECK(without[0] < 1e-7);
  CHECK(with[0] > 1);
  CHECK(with[1] < 1e-7);
  CHECK(share_below(with, 0.1, {}) == 0.5);
  CHECK(share_below(with, 0.1, std::vector<double>{1, 3}) == 0.75);
  CHECK(share_below(std::vector<double>{1, 2}, 2, {}) == 0.5);  // the limit itself is outside
}

TEST_CASE("a hydrogen bond is nearer than 0.25 nm and bent by less than 60 degrees") {
  const std::vector<HydrogenBond> bonds{{0, 1, 2}};
  const auto there = [&](double distance, double degrees) {
    return hydrogen_bonds(hydrogen_bond(distance, degrees), 3, bonds, {}).counts[0] == 1;
  };
  CHECK(there(0.19, 180));
  CHECK(there(0.249, 121));
  CHECK_FALSE(there(0.251, 180));
  CHECK_FALSE(there(0.2, 119));
  CHECK_FALSE(there(0.2, 60));
}

TEST_CASE("of hydrogen bonds, frames count by weight, bonds by frame") {
  auto frames = hydrogen_bond(0.2, 170);
  for (const auto& more : {hydrogen_bond(0.3, 170), hydrogen_bond(0.2, 150)}) {
    frames.insert(frames.end(), more.begin(), more.end());
  }
  const std::vector<std::pair<int, int>> donors{{0, 1}};
  const auto bonds = possible_hydrogen_bonds(donors, std::vector<int>{0, 2});
  REQUIRE(bonds.size() == 1);  // not with its own donor
  CHECK(bonds[0].acceptor == 2);
  const auto found = hydrogen_bonds(frames, 3, bonds, std::vector<double>{1, 5, 2});
  CHECK(found.shares[0] == doctest::Approx(3.0 / 8));
  CHECK(found.counts == std::vector<int>{1, 0, 1});
}

TEST_CASE("atoms that are not there and parts of conformations are refused") {
  const std::vector<double> three(9, 0.0);
  CHECK_THROWS_AS(radii_of_gyration(three, 2, {}), Error);
  CHECK_THROWS_AS(radii_of_gyration(three, 3, std::vector<double>{1, 1}), Error);
  CHECK_THROWS_AS(radii_of_gyration(three, 3, std::vector<double>{0, 0, 0}), Error);
  CHECK_THROWS_AS(end_to_end_distances(three, 3, 0, 3), Error);
  CHECK_THROWS_AS(rmsd(three, 3, std::vector<double>(6), all_atoms(2)), Error);
  CHECK_THROWS_AS(rmsd(three, 3, three, {}), Error);
  CHECK_THROWS_AS(rmsd(three, 3, three, std::vector<int>{-1}), Error);
  CHECK_THROWS_AS(hydrogen_bonds(three, 3, std::vector<HydrogenBond>{{0, 1, 3}}, {}), Error);
  CHECK_THROWS_AS(share_below(std::vector<double>{std::nan("")}, 1, {}), Error);
  const std::vector<double> bad{0, 0, 0, 1, std::nan(""), 1};
  CHECK_THROWS_WITH_AS(radii_of_gyration(bad, 2, {}),
                       "expected a finite position, found nan in frame 0, atom 1", Error);
  CHECK_THROWS_WITH_AS(end_to_end_distances(bad, 1, 0, 0),
                       "expected a finite position, found nan in frame 1, atom 0", Error);
  CHECK_THROWS_AS(rmsd(std::vector<double>(6), 2, bad, all_atoms(2)), Error);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("golden");

TEST_CASE("sizes, superpositions and hydrogen bonds equal those of MDTraj and SciPy") {
  const std::filesystem::path golden(ARBG_GOLDEN_DIR);
  const Json molecules =
      Json::parse(read_file(golden / "metrics" / "evaluation.json"), "evaluation.json")
          .at("shapes");
  for (const auto& member : molecules.members()) {
    const std::string& molecule = member.first;
    const Json& expected = member.second;
    CAPTURE(molecule);
    auto positions = read_npy(golden / "energies" / molecule / "positions.npy");
    const auto atoms = static_cast<std::size_t>(positions.shape[1]);
    for (double& x : positions.data) x = static_cast<float>(x);  // as MDTraj does
    const auto integers = [](const Json& list) {
      std::vector<int> result;
      for (const Json& item : list.items()) result.push_back(static_cast<int>(item.integer()));
      return result;
    };

    const auto rg = numbers_of(expected.at("rg")), rg_mass = numbers_of(expected.at("rg_mass"));
    const auto rmsds = numbers_of(expected.at("rmsd")),
               exact = numbers_of(expected.at("rmsd_double"));
    const auto radii = radii_of_gyration(positions.data, atoms, {});
    const auto weighted =
        radii_of_gyration(positions.data, atoms, numbers_of(expected.at("masses")));
    const auto ours = rmsd(positions.data, atoms, std::span(positions.data).first(3 * atoms),
                           integers(expected.at("heavy")));
    REQUIRE(ours.size() == 24);
    for (std::size_t t = 0; t < ours.size(); ++t) {
      CAPTURE(t);
      CHECK(radii[t] == doctest::Approx(rg[t]).epsilon(1e-6));
      CHECK(weighted[t] == doctest::Approx(rg_mass[t]).epsilon(1e-6));
      CHECK(std::fabs(ours[t] * ours[t] - rmsds[t] * rmsds[t]) < 5e-7);
      CHECK(std::fabs(ours[t] - exact[t]) < (t == 0 ? 1e-7 : 1e-10));
    }

    std::vector<std::pair<int, int>> donors;
    for (const Json& pair : expected.at("hydrogens").items()) {
      const auto both = integers(pair);
      donors.emplace_back(both[0], both[1]);
    }
    const auto possible = possible_hydrogen_bonds(donors, integers(expected.at("acceptors")));
    const auto found = hydrogen_bonds(positions.data, atoms, possible, {});
    CHECK(found.counts == integers(expected.at("bond_counts")));
    std::vector<std::vector<int>> there, theirs;
    for (std::size_t k = 0; k < possible.size(); ++k) {
      const HydrogenBond& bond = possible[k];
      if (found.shares[k] > 0) there.push_back({bond.donor, bond.hydrogen, bond.acceptor});
    }
    for (const Json& triple : expected.at("bonds").items()) theirs.push_back(integers(triple));
    std::sort(there.begin(), there.end());
    std::sort(theirs.begin(), theirs.end());
    CHECK(there == theirs);
  }
}

TEST_SUITE_END();
