// Slowest motions and basins of an evaluation, on a molecule that turns about phi and psi as it is
// told.
#include <doctest/doctest.h>

#include <cmath>
#include <iterator>
#include <numeric>

#include "md/files/trajectory_order.h"
#include "sampling/evaluation/evaluation.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tests/sampling/turned_torsions.h"

namespace arbg::sampling {
namespace {

constexpr std::size_t kFrames = 400;

// Frames of four replicas in turn: psi is `apart` further for every other 25 frames of a replica,
// and both torsions shake a little.
struct TwoStates {
  explicit TwoStates(double apart) {
    const Random random(5, 0);
    for (std::size_t f = 0; f < kFrames; ++f) {
      const std::size_t time = f / static_cast<std::size_t>(kReplicas);
      turned.push_back(time / 25 % 2 == 1);
      const double psi = (turned.back() ? apart : 0) + 0.2 * random.uniform(2 * f),
                   phi = 0.2 * random.uniform(2 * f + 1);
      auto x = molecule.start;
      const auto atom = [&](const char* name) { return molecule.topology.find(1, name); };
      turn(molecule.topology, x, atom("N"), atom("CA"), phi);
      turn(molecule.topology, x, atom("CA"), atom("C"), psi);
      positions.insert(positions.end(), x.begin(), x.end());
    }
  }
  ReferenceEnsemble reference() const {
    return {molecule.topology, kReplicas, positions, energies};
  }
  Evaluation of(const std::vector<double>& log_weight, std::size_t lag) const {
    EvaluationOptions options;
    options.points = kFrames;
    options.tica.lag = lag;
    return evaluate({positions, energies, log_weight}, reference(), nullptr, options);
  }

  TurnedTorsions molecule;
  std::vector<double> positions, energies = std::vector<double>(kFrames, 1.0);
  std::vector<bool> turned;
};

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("slowest motions tell samples of one state from those of both") {
    const TwoStates frames(1.0);
    const std::vector<double> equal(kFrames, 0.0);
    const auto same = frames.of(equal, 5);
    REQUIRE(same.slow.timescales.size() == 2);
    CHECK(same.slow.timescales[0] > 10);  // frames; a state lasts 25
    CHECK(same.slow.timescales[1] < 5);
    CHECK(same.slow.samples == same.slow.reference);
    CHECK(same.slow.w2.raw.estimate <
          0.3 * std::abs(same.slow.samples[0] - same.slow.samples[100 * 2]));
    // The first component is of the state.
    for (std::size_t f = 1; f < kFrames; ++f) {
      const bool beside = std::abs(same.slow.samples[2 * f] - same.slow.samples[0]) < 0.5;
      CHECK(beside == !frames.turned[f]);
    }
    auto one = equal;
    for (std::size_t f = 0; f < kFrames; ++f)
      if (frames.turned[f]) one[f] = -INFINITY;
    const auto half = frames.of(one, 5);
    CHECK(half.slow.jsd.weighted.estimate > 0.2);
    CHECK(half.slow.w2.weighted.estimate > 5 * same.slow.w2.weighted.estimate);
    CHECK(half.slow.jsd.raw.estimate ==
          same.slow.jsd.raw.estimate);  // weights do not change what was drawn
  }

  TEST_CASE("slow components of too many frames are those of every k-th, at the same lag") {
    const TwoStates frames(1.0);
    const ReferenceEnsemble all = frames.reference();
    TicaOptions options;
    options.lag = 6;
    const auto features = fit_slow_components(all, options, 1).features.count();
    const double of_all = 3.0 * static_cast<double>(features * features * kFrames);
    const std::size_t width = frames.positions.size() / kFrames;
    // Every k-th frame of each replica, as a reference of its own.
    const auto of_every = [&](std::size_t k) {
      std::vector<std::int64_t> kept;
      for (std::size_t f = 0; f < kFrames; ++f)
        if (f / static_cast<std::size_t>(kReplicas) % k == 0)
          kept.push_back(static_cast<std::int64_t>(f));
      const auto positions = pick(frames.positions, kept, width),
                 energies = pick(frames.energies, kept);
      TicaOptions own;
      own.lag = options.lag / k;
      return fit_slow_components({all.topology, kReplicas, positions, energies}, own, 1).tica;
    };
    const double shares[] = {1.0, 0.5, 0.4, 0.001};
    const std::size_t spacings[] = {1, 2, 3, 6};
    for (std::size_t i = 0; i < std::size(shares); ++i) {
      CAPTURE(shares[i]);
      options.most_multiplications = shares[i] * of_all;
      const auto fitted = fit_slow_components(all, options, 1).tica;
      const auto expected = of_every(spacings[i]);
      CHECK(fitted.lag == 6);
      CHECK(fitted.eigenvalues == expected.eigenvalues);
      CHECK(fitted.coefficients == expected.coefficients);
    }
  }

  TEST_CASE("components that were kept project samples as those they were, atoms in any order") {
    const TwoStates frames(1.0);
    const std::vector<double> equal(kFrames, 0.0);
    const auto fitted = frames.of(equal, 5);
    REQUIRE(fitted.slow.components);
    const md::Topology& topology = frames.molecule.topology;
    const Json kept = Json::parse(to_json(*fitted.slow.components, topology).dump(), "kept");
    EvaluationOptions options;
    options.points = kFrames;
    options.tica.lag = 0;
    options.components = slow_components_from_json(kept, topology);
    const auto again =
        evaluate({frames.positions, frames.energies, equal}, frames.reference(), nullptr, options);
    CHECK(again.slow.samples == fitted.slow.samples);
    CHECK(again.slow.timescales == fitted.slow.timescales);
    CHECK(again.slow.w2.floor.estimate == fitted.slow.w2.floor.estimate);
    CHECK(again.slow.jsd.floor.estimate == fitted.slow.jsd.floor.estimate);
    // The first two atoms, of the methyl of the cap, change places.
    md::Topology other = topology;
    std::swap(other.atoms[0], other.atoms[1]);
    for (auto& [a, b] : other.bonds) {
      const auto moved = [](int atom) { return atom < 2 ? 1 - atom : atom; };
      a = moved(a), b = moved(b);
      if (a > b) std::swap(a, b);
    }
    const auto positions = md::reordered(frames.positions, md::atom_order(topology, other));
    const auto projected =
        project(slow_components_from_json(kept, other), other.atoms.size(), positions);
    REQUIRE(projected.size() == fitted.slow.samples.size());
    for (std::size_t i = 0; i < projected.size(); ++i)
      CHECK(projected[i] == doctest::Approx(fitted.slow.samples[i]));
  }

  TEST_CASE("components of another molecule, of other features or of other sizes are refused") {
    const TwoStates frames(1.0);
    const md::Topology& topology = frames.molecule.topology;
    const auto fitted = frames.of(std::vector<double>(kFrames, 0.0), 5);
    const Json kept = to_json(*fitted.slow.components, topology);
    const auto refused = [&](const Json& json, const md::Topology& molecule, const char* why) {
      CHECK_THROWS_WITH_AS(slow_components_from_json(json, molecule), doctest::Contains(why),
                           Error);
    };
    refused(kept, md::Topology::from_sequence("Ace-G-Nme"),
            "of ACE1 ALA2 NME3, the samples of ACE1 GLY2 NME3");
    refused(Json::object(), topology, "molecule");
    auto fewer = *fitted.slow.components;
    fewer.features.torsions.pop_back();
    refused(to_json(fewer, topology), topology, "of other features");
    auto cut = *fitted.slow.components;
    cut.tica.mean.pop_back();
    cut.tica.coefficients.resize(2 * cut.tica.mean.size());
    refused(to_json(cut, topology), topology, "features, found some of");
    auto half = *fitted.slow.components;
    half.clusters.centres.pop_back();
    refused(to_json(half, topology), topology, "two numbers for each centre");
    std::string text = kept.dump();
    text.replace(text.find("ALA2:CB"), 7, "ALA2:CX");
    refused(Json::parse(text, "strange"), topology, "there is no atom ALA2:CX");
  }

  TEST_CASE("without slowest motions the reason is said, and nothing where they are not wanted") {
    const TwoStates frames(1.0);
    const std::vector<double> equal(kFrames, 0.0);
    const auto long_lag = frames.of(equal, kFrames);
    CHECK(long_lag.slow.timescales.empty());
    CHECK(long_lag.slow.why_not.find("lag") != std::string::npos);
    const auto none = frames.of(equal, 0);
    CHECK(none.slow.timescales.empty());
    CHECK(none.slow.why_not.empty());
  }

  TEST_CASE("shares of basins are those of the weights, with intervals that cover them") {
    const TwoStates frames(2.5);
    std::vector<double> log_weight(kFrames, 0.0);
    for (std::size_t f = 0; f < kFrames; ++f)
      if (frames.turned[f]) log_weight[f] = std::log(3.0);
    const auto e = frames.of(log_weight, 0);
    REQUIRE(e.angles.size() == 1);
    const auto& residue = e.angles[0];
    const auto basin_at = [&](std::size_t f) {
      return metrics::basin_of(residue.samples.phi[f], residue.samples.psi[f]);
    };
    const std::size_t first_turned = 25 * static_cast<std::size_t>(kReplicas);
    REQUIRE(basin_at(0) != basin_at(first_turned));
    const auto& still = residue.basins[static_cast<std::size_t>(basin_at(0))];
    const auto& turned = residue.basins[static_cast<std::size_t>(basin_at(first_turned))];
    CHECK(still.samples.estimate == doctest::Approx(0.25));
    CHECK(turned.samples.estimate == doctest::Approx(0.75));
    CHECK(turned.samples.low < 0.75);
    CHECK(turned.samples.high > 0.75);
    CHECK(turned.reference.estimate == doctest::Approx(0.5));
    CHECK(std::isnan(turned.reference.low));  // four replicas say too little
    CHECK(residue.total_variation.weighted.estimate > 0.2);
    CHECK(residue.total_variation.raw.estimate < 0.1);
    CHECK(std::accumulate(residue.basins.begin(), residue.basins.end(), 0.0,
                          [](double sum, const auto& b) { return sum + b.samples.estimate; }) ==
          doctest::Approx(1));
  }

  TEST_CASE("shares of basins where few samples weigh anything have no interval") {
    const TwoStates frames(2.5);
    std::vector<double> log_weight(kFrames, -INFINITY);
    log_weight[0] = log_weight[7] = 0;
    const auto few = frames.of(log_weight, 0);
    for (const auto& basin : few.angles[0].basins) {
      CHECK(std::isnan(basin.samples.low));
      CHECK(std::isfinite(basin.samples.estimate));
    }
    // Twelve of a hundred parts: draws without any of them do not spoil the interval.
    for (std::size_t p = 0; p < 12; ++p) log_weight[p * 32] = 0;
    log_weight[7] = -INFINITY;
    const auto some = frames.of(log_weight, 0);
    double widest = 0;
    for (const auto& basin : some.angles[0].basins)
      widest = std::max(widest, basin.samples.high - basin.samples.low);
    CHECK(widest > 0.2);
    CHECK(widest <= 1);
  }

  TEST_CASE("frames of dynamics are no independent samples: their replicas are the parts") {
    const TwoStates frames(2.5);
    const std::vector<double> equal(kFrames, 0.0);
    EvaluationOptions options;
    options.tica.lag = 0;
    WeightedEnsemble samples{frames.positions, frames.energies, equal};
    samples.weight_kind = WeightKind::none;
    for (const std::int64_t replicas : {std::int64_t{1}, kReplicas, 10 * kReplicas}) {
      samples.replicas = replicas;
      ReferenceEnsemble reference = frames.reference();
      reference.replicas = replicas;
      const auto e = evaluate(samples, reference, nullptr, options);
      for (const auto& basin : e.angles[0].basins) {
        CHECK(basin.samples.estimate == doctest::Approx(basin.reference.estimate));
        CHECK(std::isnan(basin.samples.low) == (replicas < 10));
        if (replicas >= 10) CHECK(basin.samples.low == doctest::Approx(basin.reference.low));
      }
    }
  }
}

}  // namespace arbg::sampling
