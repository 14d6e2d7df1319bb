// Convergence of frames whose correlation is known: torsions that are turned by given series.
#include "sampling/evaluation/convergence.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tensor/base/error.h"
#include "tests/sampling/turned_torsions.h"

namespace arbg::sampling {
namespace {

// Replica by replica.
std::vector<double> by_replica(const std::vector<double>& frames, std::size_t width) {
  std::vector<double> out;
  for (std::size_t replica = 0; replica < kReplicas; ++replica) {
    for (std::size_t f = replica; f < frames.size() / width; f += kReplicas)
      out.insert(out.end(), frames.begin() + static_cast<std::ptrdiff_t>(f * width),
                 frames.begin() + static_cast<std::ptrdiff_t>((f + 1) * width));
  }
  return out;
}

const TorsionConvergence& torsion(const Convergence& c, const std::string& name) {
  const auto at = std::ranges::find(c.torsions, name, &TorsionConvergence::name);
  REQUIRE(at != c.torsions.end());
  return *at;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("the time of a torsion is that of the series that drives it") {
    constexpr double kSpacing = 0.02;
    const TurnedTorsions turned;
    const auto c = assess_convergence(
        turned.topology, by_replica(turned.frames(5000), turned.start.size()), kReplicas, kSpacing);
    CHECK(c.frames == 20000);
    CHECK(c.spacing_ps == kSpacing);
    const double tau = (1 + kPhi) / (1 - kPhi);
    const auto& psi = torsion(c, "psi ALA2");
    // The estimate's error is a tenth of it.
    CHECK(psi.time_ps == doctest::Approx(tau * kSpacing).epsilon(0.2));
    CHECK(psi.effective_frames == doctest::Approx(20000 / tau).epsilon(0.2));
    CHECK(psi.reliable);
    CHECK(c.slowest().name == "psi ALA2");
    CHECK(torsion(c, "phi ALA2").effective_frames > 18000);
    CHECK(c.floor_points == 2000);
    CHECK(c.torsion_floor_rad > 0);
    CHECK(c.torsion_floor_rad < 0.1);
    CHECK(c.agreement.agree());
    CHECK(c.agreement.points == 500);
  }

  // One mean for all: each replica by itself looks converged.
  TEST_CASE("replicas that stay in different states make a time as long as a replica") {
    const TurnedTorsions turned;
    auto frames = by_replica(turned.frames(100), turned.start.size());
    const int ca = turned.topology.find(1, "CA"), c = turned.topology.find(1, "C");
    for (std::size_t f = 200; f < 400; ++f) {  // half of the replicas
      const auto at = frames.begin() + static_cast<std::ptrdiff_t>(f * turned.start.size());
      std::vector<double> x(at, at + std::ssize(turned.start));
      turn(turned.topology, x, ca, c, 2);
      std::ranges::copy(x, at);
    }
    const auto convergence = assess_convergence(turned.topology, frames, kReplicas, 1);
    CHECK(torsion(convergence, "psi ALA2").time_ps > 50);
    CHECK(torsion(convergence, "phi ALA2").time_ps < 2);
    CHECK(convergence.torsion_floor_rad > 1);
    CHECK(convergence.agreement.why_not.empty());
    CHECK(!convergence.agreement.agree());
  }

  TEST_CASE("of a single frame nothing is said, and nothing is slowest") {
    const TurnedTorsions turned;
    const auto c = assess_convergence(turned.topology, turned.start, 1, 1);
    CHECK(c.torsions.empty());
    CHECK_THROWS_WITH_AS(c.slowest(), doctest::Contains("without torsions or frames"), Error);
  }
}

}  // namespace arbg::sampling
