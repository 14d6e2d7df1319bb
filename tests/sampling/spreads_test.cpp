// How numbers of conformations are spread: samples whose torsions are turned by known angles.
#include "sampling/evaluation/spreads.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "sampling/evaluation/basins.h"
#include "tensor/base/error.h"
#include "tests/sampling/turned_torsions.h"

namespace arbg::sampling {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Serine between caps, at its ideal geometry.
struct Serine {
  md::Topology topology = md::Topology::from_sequence("Ace-AS-Nme");
  std::vector<double> start =
      md::ideal_geometry(topology, md::ForceField::named("amber14-obc1").create_system(topology));

  // `count` conformations with chi1 turned by this angle.
  std::vector<double> turned(double angle, std::size_t count) const {
    auto x = start;
    turn(topology, x, topology.find(2, "CA"), topology.find(2, "CB"), angle);
    std::vector<double> out;
    for (std::size_t i = 0; i < count; ++i) out.insert(out.end(), x.begin(), x.end());
    return out;
  }
};

const Spread& named(const std::vector<Spread>& all, const std::string& group,
                    const std::string& name) {
  const auto found = std::ranges::find_if(
      all, [&](const Spread& one) { return one.group == group && one.name == name; });
  REQUIRE(found != all.end());
  return *found;
}

Evaluation evaluated(const Serine& molecule, const std::vector<double>& x,
                     const std::vector<double>& log_weight, const std::vector<double>& frames,
                     std::int64_t replicas) {
  const auto size = molecule.start.size();
  const std::vector<double> u(x.size() / size, 0.0), v(frames.size() / size, 0.0);
  EvaluationOptions options;
  options.tica.lag = 0;
  return evaluate({x, u, log_weight}, {molecule.topology, replicas, frames, v}, nullptr, options);
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("a turned side chain shows in its chi, by the weights and as drawn, and nowhere else") {
    const Serine molecule;
    // Of forty samples every second has its chi1 turned, and no weight.
    std::vector<double> x, log_weight;
    for (int pair = 0; pair < 20; ++pair) {
      for (const double angle : {0.0, std::numbers::pi / 2}) {
        const auto one = molecule.turned(angle, 1);
        x.insert(x.end(), one.begin(), one.end());
        log_weight.push_back(angle > 0 ? -kInfinity : 0);
      }
    }
    const auto e = evaluated(molecule, x, log_weight, molecule.turned(0, 80), 20);
    CHECK(e.points == 40);
    const Spread& chi = named(e.spreads, "chi", "chi1 SER3");
    CHECK(chi.jsd.weighted.estimate == doctest::Approx(0));
    CHECK(chi.jsd.floor.estimate == doctest::Approx(0));
    // All in one cell against half there and half in another.
    const double drawn = std::log2(4.0 / 3) / 2 + (std::log2(2.0 / 3) / 2 + std::log2(2.0) / 2) / 2;
    CHECK(chi.jsd.raw.estimate == doctest::Approx(drawn));
    CHECK(chi.unit == "degrees");
    CHECK(std::ranges::count_if(chi.reference, [](double m) { return m > 0; }) == 1);
    CHECK(std::ranges::count_if(chi.drawn, [](double m) { return m > 0; }) == 2);
    for (const char* name : {"omega ALA2"})
      CHECK(named(e.spreads, "omega", name).jsd.raw.estimate == doctest::Approx(0));
    for (const char* name : {"C-C", "C-N", "C-O", "C-H", "N-H", "O-H"})
      CHECK(named(e.spreads, "bonds", name).jsd.raw.estimate == doctest::Approx(0));
    CHECK(named(e.spreads, "angles", "C-C-O").jsd.raw.estimate == doctest::Approx(0));
    CHECK(named(e.spreads, "size", "end to end").jsd.raw.estimate == doctest::Approx(0));
    CHECK(named(e.spreads, "size", "radius of gyration").jsd.raw.estimate > 0.1);
  }

  TEST_CASE("the interval of a spread is over parts of samples and replicas, if there are ten") {
    const Serine molecule;
    // Of every part of the samples half is turned; of the reference the second half of replicas.
    auto x = molecule.turned(0, 2);  // of two neighbours one is taken
    const auto off = molecule.turned(std::numbers::pi / 2, 2);
    x.insert(x.end(), off.begin(), off.end());
    std::vector<double> samples, frames;
    for (int i = 0; i < 100; ++i) samples.insert(samples.end(), x.begin(), x.end());
    for (int f = 0; f < 400; ++f) {
      const auto one = molecule.turned(f % 20 < 10 ? 0 : std::numbers::pi / 2, 1);
      frames.insert(frames.end(), one.begin(), one.end());
    }
    const std::vector<double> log_weight(400, 0.0);
    const auto e = evaluated(molecule, samples, log_weight, frames, 20);
    const Spread& chi = named(e.spreads, "chi", "chi1 SER3");
    CHECK(chi.jsd.weighted.estimate == doctest::Approx(0));
    CHECK(chi.jsd.floor.low == doctest::Approx(1));  // the halves have nothing in common
    CHECK(chi.jsd.has_intervals());
    CHECK_FALSE(chi.jsd.is_above_floor());
    const auto few = evaluated(molecule, samples, log_weight, frames, 4);
    CHECK(std::isnan(named(few.spreads, "chi", "chi1 SER3").jsd.floor.low));
    CHECK(std::isnan(named(few.spreads, "chi", "chi1 SER3").jsd.weighted.low));
    CHECK_FALSE(named(few.spreads, "chi", "chi1 SER3").jsd.has_intervals());
  }

  TEST_CASE("a shift of all numbers beyond the range of the reference is a divergence of 1") {
    const Serine molecule;
    auto x = molecule.turned(0, 40);
    for (double& coordinate : x) coordinate *= 1.1;
    const auto e = evaluated(molecule, x, std::vector<double>(40, 0.0), molecule.turned(0, 80), 20);
    CHECK(named(e.spreads, "bonds", "O-H").jsd.weighted.estimate == doctest::Approx(1));
    CHECK(named(e.spreads, "angles", "C-C-O").jsd.weighted.estimate == doctest::Approx(0));
    CHECK(named(e.spreads, "omega", "omega ALA2").jsd.weighted.estimate == doctest::Approx(0));
  }

  TEST_CASE("the folded share is of conformations near the structure, by weight, with intervals") {
    const md::Topology topology = md::Topology::from_sequence("AAA");
    const auto start =
        md::ideal_geometry(topology, md::ForceField::named("amber14-obc1").create_system(topology));
    auto bent = start;
    turn(topology, bent, topology.find(1, "N"), topology.find(1, "CA"), 2.0);
    std::vector<double> structure, x, frames, log_weight;
    for (int r = 0; r < 3; ++r) {
      const auto ca = md::at(start, topology.find(r, "CA"));
      structure.insert(structure.end(), {ca.x, ca.y, ca.z});
    }
    // Half of the samples and a quarter of each replica's frames; the samples there weigh thrice.
    for (int i = 0; i < 400; ++i) {
      const auto& of_sample = i % 2 == 0 ? start : bent;
      x.insert(x.end(), of_sample.begin(), of_sample.end());
      log_weight.push_back(i % 2 == 0 ? std::log(3.0) : 0);
      const auto& of_frame = i / 10 % 4 == 0 ? start : bent;
      frames.insert(frames.end(), of_frame.begin(), of_frame.end());
    }
    const std::vector<double> u(400, 0.0);
    EvaluationOptions options;
    options.tica.lag = 0;
    options.structure_nm = structure;
    options.folded_nm = 0.01;
    const auto e = evaluate({x, u, log_weight}, {topology, 10, frames, u}, nullptr, options);
    REQUIRE(e.folding);
    CHECK(e.folding->samples.estimate == doctest::Approx(0.75));
    CHECK(e.folding->samples.low == doctest::Approx(0.75));
    CHECK(e.folding->reference.estimate == doctest::Approx(0.25));
    CHECK(e.folding->difference.estimate == doctest::Approx(0.5));
    CHECK(metrics::exceeds(e.folding->difference, 0.4));
    CHECK(e.folding->drawn == doctest::Approx(0.5));
    CHECK(named(e.spreads, "size", "C-alpha RMSD").jsd.weighted.estimate > 0.1);
    options.structure_nm.pop_back();
    CHECK_THROWS_AS(evaluate({x, u, log_weight}, {topology, 10, frames, u}, nullptr, options),
                    Error);
  }

  TEST_CASE("free energies are of the shares, above the basin of most frames, inf where empty") {
    // Samples: in every part three of alpha-R to one of beta. Frames: two of beta to one of each.
    const double alpha[2] = {-1.1, -0.7}, beta[2] = {-1.2, 2.5}, left[2] = {1.0, 0.6};
    ResidueAngles residue;
    const auto add = [](Angles& to, const double* basin) {
      to.phi.push_back(basin[0]);
      to.psi.push_back(basin[1]);
    };
    for (int i = 0; i < 20; ++i) {
      for (const auto* basin : {alpha, alpha, alpha, beta}) add(residue.samples, basin);
      for (const auto* basin : {alpha, beta, beta, left}) add(residue.reference, basin);
    }
    Parts parts{{}, 20};
    for (std::size_t i = 0; i < 80; ++i) parts.part_of.push_back(i / 4);
    compare_basins(residue, {}, parts, parts, 1);
    CHECK(residue.lowest == static_cast<std::size_t>(metrics::Basin::beta));
    const auto& right = residue.basins[static_cast<std::size_t>(metrics::Basin::alpha_right)];
    CHECK(right.samples.estimate == doctest::Approx(0.75));
    CHECK(right.samples_kt.estimate == doctest::Approx(-std::log(3.0)));
    CHECK(right.samples_kt.high == doctest::Approx(-std::log(3.0)));
    CHECK(right.reference_kt.estimate == doctest::Approx(std::log(2.0)));
    CHECK(right.difference_kt.estimate == doctest::Approx(-std::log(6.0)));
    CHECK(metrics::exceeds(right.difference_kt));
    const auto& empty = residue.basins[static_cast<std::size_t>(metrics::Basin::alpha_left)];
    CHECK(empty.samples_kt.estimate == kInfinity);
    CHECK(empty.reference_kt.estimate == doctest::Approx(std::log(2.0)));
    CHECK(empty.difference_kt.high == kInfinity);
    // Twenty parts have not met it: a share of 5 % of being unmet is 0.139 (0.861^20 = 0.05).
    CHECK(empty.samples.low == 0);
    CHECK(empty.samples.high == doctest::Approx(0.1391).epsilon(1e-3));
    CHECK(empty.samples_kt.low == doctest::Approx(-std::log(0.1391 / 0.25)).epsilon(1e-3));
    CHECK(empty.samples_kt.high == kInfinity);
    CHECK(empty.difference_kt.low ==
          doctest::Approx(empty.samples_kt.low - empty.reference_kt.high));
    CHECK(residue.basins[residue.lowest].difference_kt.estimate == 0);
  }
}

}  // namespace arbg::sampling
