// Agreement of replicas whose distributions are known.
#include "sampling/evaluation/agreement.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tensor/base/random.h"

namespace arbg::sampling {
namespace {

// Rows [saves replicas, 2], frame f of replica f % replicas: the angle of its replica and as much
// noise, independent or, where `keep` is above 0, of that correlation between saves.
std::vector<double> frames(std::int64_t saves, const std::vector<double>& of_replica, double noise,
                           double keep = 0) {
  const Random random(5, 1);
  std::vector<double> rows, x(2 * of_replica.size());
  for (std::int64_t save = 0; save < saves; ++save) {
    for (std::size_t r = 0; r < of_replica.size(); ++r) {
      const auto normal =
          random.normal_pair(static_cast<std::uint64_t>(save) * of_replica.size() + r);
      for (std::size_t d = 0; d < 2; ++d) {
        double& now = x[2 * r + d];
        now = save == 0 ? normal[d] : keep * now + std::sqrt(1 - keep * keep) * normal[d];
        rows.push_back((d == 0 ? of_replica[r] : 0) + noise * now);
      }
    }
  }
  return rows;
}

Agreement of(std::int64_t saves, const std::vector<double>& of_replica, double noise,
             double keep = 0) {
  return agreement_of(frames(saves, of_replica, noise, keep), 2, std::ssize(of_replica));
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE(
      "halves of replicas with independent frames of one distribution are as frames at random") {
    const Agreement a = of(400, std::vector<double>(12, 0), 0.5);
    CHECK(a.points == 498);  // 83 of each of six
    CHECK(a.ratio() == doctest::Approx(1).epsilon(0.1));
    CHECK(a.agree());
    CHECK(
        a.sentence().starts_with("Replicas agree: T-W2 of phi and psi between halves of them is"));
    CHECK(a.sentence(" of the reference").starts_with("Replicas of the reference agree: "));
  }

  // One replica of the six each half has more than the other: a third of the points moves by 2, or
  // all do, three against three.
  TEST_CASE("replicas in two places differ by what has to be moved, and do not agree") {
    const Agreement a = of(100, {0, 0, 0, 2, 2, 2}, 0);
    CHECK(a.halves_rad >= 2 * std::sqrt(1.0 / 3) - 1e-9);
    CHECK(a.halves_rad <= 2 + 1e-9);
    CHECK(a.random_rad < 0.8);
    CHECK(!a.agree());
    CHECK(a.sentence().starts_with("Replicas do not agree: "));
    CHECK(a.sentence().ends_with("longer runs (arbg md --steps) may bring them together"));
  }

  TEST_CASE("replicas too short to forget do not agree, and agree when they are long enough") {
    const std::vector<double> alike(8, 0);
    CHECK(!of(100, alike, 0.5, 0.99).agree());   // half an independent frame each
    CHECK(of(20000, alike, 0.5, 0.99).agree());  // a hundred
  }

  TEST_CASE("a run that is made of one distribution agrees whatever the number of replicas") {
    for (const std::size_t replicas : {3u, 4u, 7u, 1500u}) {
      CAPTURE(replicas);
      const Agreement a = of(replicas > 10 ? 2 : 600, std::vector<double>(replicas, 0), 0.5);
      CHECK(a.points > 400);
      CHECK(a.ratio() == doctest::Approx(1).epsilon(0.15));
    }
  }

  TEST_CASE("of one or two replicas, of too few frames and without torsions nothing is said") {
    CHECK(of(100, {0}, 0.5).sentence() == "Whether replicas agree cannot be told: there is one");
    CHECK(of(100, {0, 0}, 0.5).sentence(" of the reference") ==
          "Whether replicas of the reference agree cannot be told: there are two, which are one "
          "pair of halves");
    CHECK(of(90, {0, 0, 0}, 0.5).why_not == "there are too few frames");
    CHECK(agreement_of({}, 0, 24).why_not == "there is no phi and no psi");
    CHECK(!of(100, {0}, 0.5).agree());
    CHECK(of(200, {0, 0, 0}, 0).why_not == "its frames are all alike");
  }

  TEST_CASE("a run that was thinned is judged as the whole one is") {
    const std::size_t replicas = 4, saves = 603, apart = 3;
    const auto all = frames(saves, std::vector<double>(replicas, 0), 0.5, 0);
    std::vector<double> thinned;
    for (std::size_t save = 0; save < saves; save += apart) {
      const auto first = all.begin() + static_cast<std::ptrdiff_t>(save * replicas * 2);
      thinned.insert(thinned.end(), first, first + static_cast<std::ptrdiff_t>(replicas * 2));
    }
    const Agreement a = agreement_of(all, 2, 4, 3), b = agreement_of(thinned, 2, 4);
    CHECK(a.points == b.points);
    CHECK(a.halves_rad == b.halves_rad);
    CHECK(a.random_rad == b.random_rad);
  }
}

}  // namespace arbg::sampling
